"""Face boxes for CAER-S, whose download has none: a detector of an installed package looks, a box file is written.

pictures in class folders -> detector -> faces.jsonl (all faces, kept picture by picture)
                                      -> one face of each picture -> {train,val,test}.txt, boxes.json, boxes.png
"""
