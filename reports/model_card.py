"""The model card of a scorecard as one page and as Markdown, both of the same entries. Nothing is measured here."""

import math
from collections.abc import Iterator, Mapping, Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from reports.pages import page
from schemas.messages import NOTHING, Lang, say, written

MICRO = 1_000_000
WIDTH, HEIGHT = 300, 90
"""Units of one drawing."""
MOST_LABELS, MOST_CODES = 4, 12
"""Bars that bear the words of their codes, and bars that bear the codes, the words standing below."""
_COLOURS = ("#14645c", "#c98a1b", "#3b5b8a", "#8a3b3b", "#6b4a8a", "#4f7d2c")
_SHARES = ("exclusion_error", "inclusion_error", "severe_miss", "near_cutoff_share")
_MEASURES = ("exclusion_error", "inclusion_error", "severe_miss", "cgh", "near_cutoff_share", "r2", "auc")
REPLICATES = 1_000

Card = Mapping[str, Any]
Pairs = list[tuple[str, str]]


def card_page(model_hash: str, card: Card, found: Card, lang: Lang = "id", home: Card | None = None) -> str:
    """Self-contained page: data, fit, quality out of area, challengers, fairness, short forms, shapes, drift, approval.

    Parameters
    ----------
    model_hash : str
        SHA-256 of the scorecard.
    card : mapping
        The scorecard's own JSON.
    found : mapping
        Of :func:`assets.welfare.validate.validated`.
    lang : {"id", "en"}
        Language of the page.
    home : mapping, optional
        Of :func:`pipelines.shelf.known_of`; without it drift and approval are not known yet.
    """
    told = _told(model_hash, card, found, lang) | _of_home(home, lang)
    return page("model_card.html", lang, **told, strata=_strata(card), shapes=_shapes(card, lang))


def card_markdown(model_hash: str, card: Card, found: Card, lang: Lang = "id", home: Card | None = None) -> str:
    """The same as Markdown; of each shape its ends alone. Parameters as :func:`card_page`."""
    told = _told(model_hash, card, found, lang) | _of_home(home, lang)

    def word(code: str) -> str:
        return say(f"model_card.{code}", lang)

    blocks = [f"# {word('title')}", f"> {word('banner')}", word("use")]
    blocks += [f"## {word('approval')}", "\n\n".join(told["approvals"])]
    for code in ("data", "fit"):
        blocks += [f"## {word(code)}", _grid([word("measure"), word("value")], told[code])]
    blocks += [f"## {word('validation')}", f"{told['validation_note']} {told['denominators']}"]
    blocks.append(_grid([word("measure"), word("value"), word("interval")], told["measures"]))
    blocks += [f"## {word('challengers')}", word("challengers_note")]
    heads = [word(code) for code in ("challenger", "exclusion", "difference", "interval")]
    blocks.append(_grid(heads, [row[:4] for row in told["challengers"]]))
    blocks.append(f"## {word('fairness')}")
    heads = [word(code) for code in ("group", "households", "poor", "selected", "exclusion", "inclusion")]
    blocks.append(_grid(heads, told["groups"]) if told["groups"] else word("no_groups"))
    if told["worst"]:
        blocks += [f"### {word('worst')}", word("worst_note")]
        blocks.append(_grid([word(code) for code in ("group", "missed", "poor", "exclusion", "times")], told["worst"]))
    if told["readings"]:
        blocks += [f"### {word('readings')}", word("readings_note")]
        blocks.append(_grid([word(code) for code in ("group", "reading", "poor", "exclusion")], told["readings"]))
    if told["reach"]:
        blocks += [f"### {word('reach')}", told["reach_note"]]
        heads = [word(code) for code in ("group", "families", "without_score", "receiving")]
        blocks.append(_grid(heads, told["reach"]))
    blocks += [f"## {word('short_forms')}", word("short_note")]
    blocks.append(_grid([word(code) for code in ("questions", "exclusion", "r2", "asked")], told["short_forms"]))
    blocks += [f"## {word('shapes')}", told["shapes_note"]]
    blocks.append("\n".join(f"- {shape['title']}: {shape['range']}" for shape in _shapes(card, lang)))
    blocks += [f"## {word('drift')}", told["drift_note"]]
    if told["drift"]:
        heads = [word(code) for code in ("answer", "psi", "alarm", "unusable", "unusable_before")]
        blocks.append(_grid(heads, [row[:5] for row in told["drift"]]))
    blocks += [f"## {word('limits')}", "\n".join(f"- {limit}" for limit in told["limits"])]
    return "\n\n".join(blocks) + "\n"


def _grid(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    cells = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |" for row in cells)


def _told(model_hash: str, card: Card, found: Card, lang: Lang) -> dict[str, Any]:
    spec, made, report = card["spec"], card["provenance"], found["scorecard"]

    def word(code: str, **values: Any) -> str:  # noqa: ANN401 - what a message takes
        return say(f"model_card.{code}", lang, **values)

    set_aside = ", ".join(f"{name}: {written(count, lang)}" for name, count in made["set_aside"].items())
    missing = spec["missing"]
    gaps = word("not_scorable") if missing == "not_scorable" else word("bin", share=_share(missing["at_most"], lang))
    line = spec["poverty_line"]
    data: Pairs = [
        (word("survey_hash"), made["survey_hash"]),
        (word("rows"), written(made["rows"], lang)),
        (word("weight_total"), _number(made["weight_total"], lang, 0)),
        (word("set_aside"), set_aside or word("nobody")),
        (word("target"), f"{spec['target']['column']} ({spec['target']['scale']})"),
        (word("line"), word("no_line") if line is None else str(line)),
        (word("area"), " / ".join(spec["area"]) or word("whole_survey")),
        (word("strata"), ", ".join(spec["strata"]) or word("no_strata")),
        (word("missing"), gaps),
    ]
    fit: Pairs = [
        (word("hash"), model_hash),
        (word("penalty"), f"{made['penalty']:g}"),
        (word("rounds"), str(made["rounds"])),
        (word("learning_rate"), _number(made["learning_rate"], lang, 2)),
        (word("folds"), str(found["folds"])),
        (word("versions"), ", ".join(f"{name} {version}" for name, version in made["versions"].items())),
    ]
    counts = report["denominators"]
    low, high = _ends(card, lang)
    note = "shapes_note_ordinal" if card["scale"] == "ordinal" else "shapes_note"
    return {
        "data": data,
        "fit": fit,
        "validation_note": word("validation_note", replicates=REPLICATES),
        "denominators": word(
            "denominators", n=report["n"], areas=counts["areas"], places=report["places"], poor=counts["poor"],
            selected=counts["selected"],
        ),
        "measures": list(_measures(report, lang)),
        "challengers": list(_challengers(found, lang)),
        "groups": list(_groups(report, lang)),
        "worst": list(_worst(report, lang)),
        "readings": list(_readings(report, lang)),
        "short_forms": list(_short_forms(found, lang)),
        "shapes_note": word(note, low=low, high=high),
        "limits": [
            word("limit_error", share=_share(report["exclusion_error"], lang)),
            word("limit_age"),
            word("limit_intervals"),
        ],
    }  # fmt: skip


def _of_home(home: Card | None, lang: Lang) -> dict[str, Any]:
    """Approval, drift and reach: what is known of a scorecard only where it decides."""

    def word(code: str, **values: Any) -> str:  # noqa: ANN401 - what a message takes
        return say(f"model_card.{code}", lang, **values)

    if home is None:
        return {"approvals": [word("approval_note")], "drift_note": word("drift_later"), "drift": [], "reach": []}
    approvals = [word("in_force", day=one["valid_from"], approval=one["approval"]) for one in home["in_force"]]
    quarter, drift = home["quarter"], home["drift"]
    if quarter is None:
        note = word("no_quarter")
    elif not drift:
        note = word("first_quarter", quarter=quarter)
    else:
        alarms = sum(row["is_alarm"] for row in drift)
        alarm = _number(drift[0]["alarm_micro"] / MICRO, lang, 2)
        note = word("drift_note", quarter=quarter, alarm=alarm, alarms=alarms)
    return {
        "approvals": approvals or [word("not_in_force")],
        "drift_note": note,
        "drift": [
            (
                word("score") if row["feature"] == "score_micro" else row["feature"],
                _number(row["psi_micro"] / MICRO, lang, 4),
                word("alarm") if row["is_alarm"] else NOTHING,
                _part(row["unusable"], row["families"], lang),
                _part(row["unusable_before"], row["families_before"], lang),
                row["is_alarm"],
            )
            for row in drift
        ],
        "reach_note": "" if quarter is None else word("reach_note", quarter=quarter),
        "reach": [
            (
                f"{say('simulation.dimension_' + row['group'], lang)}: {_value(row, lang)}",
                written(row["families"], lang),
                _part(row["not_scorable"], row["families"], lang),
                _part(row["recipients"], row["families"], lang),
            )
            for row in home["reach"]
        ],
    }


def _value(row: Card, lang: Lang) -> str:
    """A value of a group in words; sizes of families speak for themselves."""
    if row["group"] == "household_size" and row["value"] != "unknown":
        return str(row["value"])
    return say(f"channel.{row['value']}" if row["group"] == "channel" else f"simulation.value_{row['value']}", lang)


def _part(count: int, whole: int, lang: Lang) -> str:
    return _share(count / whole if whole else None, lang)


def _measures(report: Card, lang: Lang) -> Iterator[tuple[str, str, str]]:
    for name in _MEASURES:
        form = _share if name in _SHARES else _number
        yield say(f"model_card.{name}", lang), form(report[name], lang), _range(report["intervals"][name], form, lang)
    for name, value in report["calibration"].items():
        code = f"calibration_{name}"
        yield say(f"model_card.{code}", lang), _number(value, lang), _range(report["intervals"][code], _number, lang)


def _challengers(found: Card, lang: Lang) -> Iterator[tuple[Any, ...]]:
    own = found["scorecard"]["exclusion_error"]
    yield say("model_card.scorecard", lang), _share(own, lang), NOTHING, NOTHING, None
    for name, row in found["challengers"].items():
        ends = row["interval"]
        # From -10 to +10 percentage points across the drawing.
        at = (
            None
            if ends is None
            else [round(min(max(500 + value * 5000, 0), 1000)) for value in (*ends, row["difference"])]
        )
        yield (
            say(f"model_card.{name}", lang),
            _share(row["exclusion_error"], lang),
            _points(row["difference"], lang),
            _range(ends, _points, lang),
            at,
        )


def _groups(report: Card, lang: Lang) -> Iterator[tuple[str, ...]]:
    for column, values in report["by_group"].items():
        for value, row in values.items():
            counts = [written(row[name], lang) for name in ("n", "poor", "selected")]
            yield _group_name(column, value), *counts, *(_error(row, kind, lang) for kind in ("exclusion", "inclusion"))


def _group_name(column: str, value: str) -> str:
    return f"{column} = {value or NOTHING}"


def _error(row: Card, kind: str, lang: Lang) -> str:
    """An error with its interval; validations of before intervals have none."""
    share, ends = _share(row[f"{kind}_error"], lang), row.get(f"{kind}_interval")
    return share if ends is None else f"{share} ({_range(ends, _share, lang)})"


def _worst(report: Card, lang: Lang) -> Iterator[tuple[str, ...]]:
    average = report["exclusion_error"]
    for row in report.get("worst_groups", ()):
        times = _number(row["exclusion_error"] / average, lang, 2) if average else NOTHING
        missed = _number(row["missed"], lang, 0)
        poor = written(row["poor"], lang)
        yield _group_name(row["group"], row["value"]), missed, poor, _error(row, "exclusion", lang), times


def _readings(report: Card, lang: Lang) -> Iterator[tuple[str, ...]]:
    for name, found in report.get("readings", {}).items():
        everyone = say("model_card.everyone", lang)
        yield everyone, name, written(found["poor"], lang), _error(found, "exclusion", lang)
        for column, values in found["by_group"].items():
            for value, row in values.items():
                poor = written(row["poor"], lang)
                yield _group_name(column, value), name, poor, _error(row, "exclusion", lang)


def _short_forms(found: Card, lang: Lang) -> Iterator[tuple[str, str, str, str]]:
    for at, row in enumerate(found["short_forms"]):
        asked = say("model_card.all_questions", lang) if at == 0 else ", ".join(row["asked"])
        yield written(row["questions"], lang), _share(row["exclusion_error"], lang), _number(row["r2"], lang), asked


def _strata(card: Card) -> list[tuple[str, str]]:
    """Colour of each stratum, where there is more than one."""
    keys = sorted(card["intercept"])
    return [(key, _COLOURS[at % len(_COLOURS)]) for at, key in enumerate(keys)] if len(keys) > 1 else []


def _scale(card: Card) -> tuple[int, int]:
    every = [points for feature in card["features"] for entry in feature["points"].values() for points in entry]
    low, high = min(0, *every), max(0, *every)
    return (low, high) if low < high else (low, low + 1)


def _ends(card: Card, lang: Lang) -> tuple[str, str]:
    low, high = _scale(card)
    return _effect(low, card, lang), _effect(high, card, lang)


def _effect(points: int, card: Card, lang: Lang) -> str:
    if card["scale"] == "ordinal":
        return _signed(points / MICRO, _number(abs(points / MICRO), lang))
    # What rounds to nothing has no sign.
    effect = round(math.expm1(points / MICRO), 2)
    return _signed(effect, _share(abs(effect), lang, 0))


def _shapes(card: Card, lang: Lang) -> list[dict[str, Any]]:
    """Per feature: title, range in words, and what is drawn: a stepped line of a number, a bar per code."""
    low, high = _scale(card)

    def y(points: int) -> float:
        return round((high - points) / (high - low) * HEIGHT, 1)

    drawn = []
    for feature in card["features"]:
        every = [points for entry in feature["points"].values() for points in entry]
        ends = say(
            "model_card.shape", lang, name=feature["name"], low=_effect(min(every), card, lang),
            high=_effect(max(every), card, lang),
        )  # fmt: skip
        direction = "" if feature["direction"] == "none" else say(f"model_card.{feature['direction']}", lang)
        shape: dict[str, Any] = {
            "title": f"{feature['name']} ({direction})" if direction else feature["name"],
            "range": ends.partition(": ")[2],
            "words": ends,
            "zero": y(0),
            "lines": [],
            "bars": [],
            "has_ends": len(feature["codes"]) > MOST_CODES,
            "legend": "",
        }
        keys = sorted(feature["points"])
        if feature["kind"] == "number":
            shape["lines"] = [
                (_steps(feature, [y(points) for points in feature["points"][key]]), _COLOURS[at % len(_COLOURS)])
                for at, key in enumerate(keys)
            ]
            ends_of = feature["representatives"]
            shape["labels"] = [_plain(ends_of[0], lang), _plain(ends_of[-1], lang)] if ends_of else []
        else:
            step = WIDTH / max(len(feature["codes"]) * len(keys), 1)
            shape["bars"] = [
                (round((code * len(keys) + at) * step + step * 0.15, 1), min(y(points), y(0)), round(step * 0.7, 1),
                 max(abs(y(points) - y(0)), 1), _COLOURS[at % len(_COLOURS)])
                for at, key in enumerate(keys)
                for code, points in enumerate(feature["points"][key])
            ]  # fmt: skip
            codes = feature["codes"]
            named = (card["spec"]["features"][feature["name"]]["codes"] or {}) if codes else {}
            if len(codes) <= MOST_LABELS:
                shape["labels"] = [named.get(code, code) for code in codes]
            else:
                shape["labels"] = codes if len(codes) <= MOST_CODES else [codes[0], codes[-1]]
                shape["legend"] = ", ".join(f"{code} {named[code]}" for code in codes if code in named)
        drawn.append(shape)
    return drawn


def _steps(feature: Card, heights: Sequence[float]) -> str:
    """Points of a stepped line from the lowest to the highest surveyed mean, bins at their bounds."""
    known = feature["representatives"]
    edges = [known[0], *feature["upper_bounds"], known[-1]]
    width = (edges[-1] - edges[0]) or 1.0
    at = [round(min(max((edge - edges[0]) / width, 0), 1) * WIDTH, 1) for edge in edges]
    return " ".join(f"{at[step]},{height} {at[step + 1]},{height}" for step, height in enumerate(heights))


def _share(value: float | None, lang: Lang, places: int = 1) -> str:
    return NOTHING if value is None else f"{_number(value * 100, lang, places)}%"


def _points(value: float | None, lang: Lang) -> str:
    return NOTHING if value is None else _signed(value, _number(abs(value) * 100, lang, 1))


def _signed(value: float, text: str) -> str:
    return f"{'+' if value > 0 else '−' if value < 0 else ''}{text}"  # noqa: RUF001 - a minus sign


def _number(value: float | None, lang: Lang, places: int = 3) -> str:
    if value is None:
        return NOTHING
    rounded = Decimal(repr(value)).quantize(Decimal(1).scaleb(-places), ROUND_HALF_EVEN)
    return written(rounded, lang).replace("-", "\N{MINUS SIGN}")


def _plain(value: float, lang: Lang) -> str:
    return written(int(value), lang) if value == int(value) else _number(value, lang, 2)


def _range(ends: Sequence[float] | None, form: Any, lang: Lang) -> str:  # noqa: ANN401 - a writer of numbers
    return NOTHING if ends is None else f"{form(ends[0], lang)} {NOTHING} {form(ends[1], lang)}"
