//! m3u8 text from plain values.
