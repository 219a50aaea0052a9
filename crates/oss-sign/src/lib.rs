//! Request signing for Alibaba Cloud OSS over borrowed strings: no IO, no clock, no_std
