"""Errors for users of a shell: options instead of Python's arguments."""

from __future__ import annotations

import re

__all__ = ["for_shell"]

# what errors say, and what it is in a shell; the first that matches a text wins
_WORDS = [
    (r"xpframe\.use\(…\), ", ""),
    (r"give workspace=…", "give --workspace PATH"),
    (r"workspace=…", "--workspace PATH"),
    (r"; see xp_table\(…\)\.column_names", "; xpframe schema lists them"),
    (r"xp_table\(…\)\.column_names", "xpframe schema"),
    (r"\bresult_files lists", "xpframe results lists"),
    (r"columns=\[…\]", "-c COLUMNS"),
    (r"more than max_columns=(\d+)", r"more than --max-columns \1"),
    (r"raise max_columns", "raise --max-columns"),
    (r"by task=", "by --task"),
    (r"read with run='all'", "read with --run all"),
    (r"leave out run\b", "leave out --run"),
    (r"\bexperiment=", "NAME "),
    (r"by=\['lr', 'seed'\] or by=\['tags\.\*', 'config\.\*'\]", "--by lr,seed or --by 'tags.*,config.*'"),
    (r"results=\"([^\"]*)\"", r"--results '\1'"),
    (r"\(and (\d+) more, see [^)]*(?:\(…\)[^)]*)?\)", r"(and \1 more)"),
    (r"see \.errors", "xpframe check says why"),
    (r"(?:give )?((?:header|separator)=\S+) in Result\(…\)", r"in Python, Result(…) has \1"),
    (r"give format=(\S+)", r"in Python, Result(…) has format=\1"),
    (r"the objects have them: load_xp_info", "in Python, the objects have them: load_xp_info"),
    (
        r"; choose other columns, or use the objects: load_xp_info\(…\)\.jobs",
        "; choose other columns with -c",
    ),
    (r"Workspace\(\)\.load_xp_info\('([^']*)'\)", r"xpframe frame \1"),
    (r"names='(?:full|short|identifier)'", "--names"),
    (r"\b(run|task|timezone|workspace|names|max_columns|columns|results)=", None),
]


def for_shell(text: str) -> str:
    """An error, with the options of ``xpframe`` where it names arguments of Python."""
    for pattern, words in _WORDS:
        text = re.sub(pattern, _option if words is None else words, text)
    return text


def _option(match: re.Match[str]) -> str:
    return f"--{match[1].replace('_', '-')} "
