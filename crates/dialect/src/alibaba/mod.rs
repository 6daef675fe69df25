//! Alibaba Cloud's RPC dialect, ApsaraVideo Live 2016-11-01.
