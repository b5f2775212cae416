"""English: the month by its name, so that no order of day and month has to be known."""

DATETIME_FORMAT = "j M Y, H:i"
MONTH_DAY_FORMAT = "j M"
