//! An Alibaba Cloud OSS server as a function from request to answer: verifies signatures, no IO
