//! RTMP sockets: connections in, requests and media out.
