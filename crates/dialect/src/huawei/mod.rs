//! Huawei Cloud Live, API v1.
