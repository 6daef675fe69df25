//! The clouds' wire words: a folder per cloud parses and verifies requests, maps them to the catalog, and
//! answers in that cloud's words.
//!
//! Everything here is a value: a [`http::Request`] in, an operation or an error reply out. Time, keys and what is
//! live are given by the caller; nothing here reads a clock, a socket or a file.

#![deny(clippy::indexing_slicing)]

pub mod alibaba;
pub mod http;
pub mod huawei;
pub mod keys;
pub mod percent;
pub mod policy;
