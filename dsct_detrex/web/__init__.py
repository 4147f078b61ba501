"""``dsct web``: a page in the browser that shows what a model sees in a picture, and keeps nothing of it."""
