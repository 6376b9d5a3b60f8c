"""The IPython extension: ``%xpm``, its completions, and the cache of runs behind it."""
