"""The lines of a reply: those that are only markdown vanish, rows of a table become bullets."""

import re

_QUOTED = " >"
_ROW = re.compile(r"\|.*\|\s*")
_UNDER_HEADER = re.compile(r"[|:\s+-]*-[|:\s+-]*")
_RULE = re.compile(r"(?:[-*_=~][ ]*){3,}|(?:```|~~~)[ ]*[\w+-]*[ ]*")
_MAY_BE_RULE = re.compile(r"[-*_=~ ]*")
_CELL = re.compile(r"((?:[^|\[\\]|\[[^\[\]]*\]|\\.|\[)*)\|")
_PLACE = re.compile(r"\W*\d{1,2}\W*")

CONTROLS = {
    **dict.fromkeys((*range(0x20), *range(0x7F, 0xA0))),  # control characters
    **dict.fromkeys((0x061C, 0x200B, 0x200E, 0x200F, 0x2060, 0xFEFF)),  # marks without width
    **dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A))),  # what turns text around
    ord("\n"): "\n",
    ord("\t"): "    ",
    0x2028: "\n",
    0x2029: "\n",
    0xA0: " ",
}
"""What becomes of characters that show nothing, or change what others show."""


class Lines:
    """Passes the lines of a reply on as they come, each as soon as it is known to say something.

    Rules, fences of code and their language, and the header of a table with the line under it
    vanish. A row becomes a bullet: "- first cell: second cell; third cell".
    """

    def __init__(self) -> None:
        self._begun = ""
        """Of a line that may be none to pass on."""
        self._passes = False
        self._row = ""
        """The last row of a table: its header, if a rule follows."""

    def feed(self, text: str) -> str:
        """What is known to be passed on with this text, which has no control characters."""
        self._begun += text
        return self._pass(last=False)

    def finish(self) -> str:
        """The rest."""
        return self._pass(last=True) + self._end_row()

    def _pass(self, *, last: bool) -> str:
        passed = ""
        while self._begun:
            line, ends, rest = self._begun.partition("\n")
            if self._passes:
                passed += line + ends
                self._passes = not ends
            elif ends or last:
                passed += self._whole(line, ends)
            elif _may_be_markup(line):
                break
            else:
                passed += self._end_row() + line
                self._passes = True
            self._begun = rest
        return passed

    def _whole(self, line: str, ends: str) -> str:
        """What a whole line is passed on as."""
        bare = line.lstrip(_QUOTED)
        if bare.startswith("|") and _UNDER_HEADER.fullmatch(bare):
            self._row = ""
            return ""
        before = self._end_row()
        if _ROW.fullmatch(bare):
            self._row = bare
            return before
        return before if _RULE.fullmatch(bare.rstrip()) else before + line + ends

    def _end_row(self) -> str:
        """The row that was held back, since it turned out to be no header."""
        row, self._row = self._row, ""
        cells = [cell.strip().replace("\\|", "|") for cell in _CELL.findall(row)]
        cells = [cell for cell in cells if cell.strip("-–— ")]
        if len(cells) > 2 and _PLACE.fullmatch(cells[0]):
            del cells[0]
        if not cells:
            return ""
        return f"- {cells[0]}" + (f": {'; '.join(cells[1:])}" if cells[1:] else "") + "\n"


def _may_be_markup(line: str) -> bool:
    bare = line.lstrip(_QUOTED)
    return (
        bool(_MAY_BE_RULE.fullmatch(bare))
        or bare.startswith(("|", "~~~"))
        or (bare.startswith("```") or "```".startswith(bare))
    )
