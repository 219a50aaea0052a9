//! CRC-64/XZ as Alibaba Cloud OSS computes it: streaming, combinable, no_std
