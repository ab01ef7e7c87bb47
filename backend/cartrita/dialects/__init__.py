"""Translations between wire formats of model APIs and the domain, without I/O.

Each folder is one format, with the same files: `types`, `request_parsing`, `request_rendering`,
`stream_parsing`, `stream_rendering`, `response_rendering`, `errors`, `error_rendering`, `relay`,
and more where a format needs them.
"""
