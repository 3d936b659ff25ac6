"""How a template becomes a page: everything escaped, words from the catalogue, nothing loaded from outside."""

from functools import cache, partial

import jinja2

from schemas.messages import Lang, Value, say, written


@cache
def _templates() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("reports"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def page(template: str, lang: Lang, **content: object) -> str:
    """A self-contained HTML page.

    Parameters
    ----------
    template : str
        Name of a file in `reports/templates`.
    lang : {"id", "en"}
        Language of `say` (a message by its code) and `written` (a number or day) inside the template.
    **content
        What the template shows; text is escaped.
    """
    said = {"lang": lang, "say": partial(_say, lang), "written": partial(_written, lang)}
    return _templates().get_template(template).render(**said, **content)


def _say(lang: Lang, code: str, **values: Value) -> str:
    return say(code, lang, **values)


def _written(lang: Lang, value: Value) -> str:
    return written(value, lang)
