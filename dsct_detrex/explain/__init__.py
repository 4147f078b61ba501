"""Is the explanation right? On drawn scenes, whose causes are known, what a model looks at can be measured."""
