"""Data in and out: jobs, import, dataset versions, export; file formats under `codecs`."""
