"""What the REST doors read: JSON whose texts can be stored and written again."""

import json
import re
from collections.abc import Mapping
from io import BytesIO
from typing import IO, Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

# Half of a surrogate pair, as a JSON escape; most bodies hold no such escape at all.
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


class StorableJSONParser(JSONParser):
    """JSON without lone surrogates: they are no text, and neither a database nor UTF-8 takes them."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """The parsed body; raises `ParseError` (400)."""
        body = stream.read()
        try:
            data = super().parse(BytesIO(body), media_type, dict(parser_context or {}))
        except RecursionError as error:
            raise ParseError("The JSON is nested too deeply to be read.") from error
        if _SURROGATE.search(body):
            try:
                json.dumps(data, ensure_ascii=False).encode()
            except UnicodeEncodeError as error:
                half = f"\\u{ord(error.object[error.start]):04x}"
                raise ParseError(f"The JSON holds {half}, half of a surrogate pair: that is no character.") from error
        return data
