//! Retry policy for Alibaba Cloud OSS: what to repeat, when, and when not; no IO, no clock, no randomness
