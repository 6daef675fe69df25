//! RTMP: bytes in, bytes out, requests and media; no socket, no clock.
