"""How the objects of xpframe show themselves: HTML for notebooks, text for terminals.

HTML and SVG are inline, without scripts and without anything fetched. Every value is escaped; invisible
characters (control characters, ANSI codes, right-to-left marks) are shown as escapes. Functions here take
plain data or the engine's ``Run``, never the objects that call them.
"""
