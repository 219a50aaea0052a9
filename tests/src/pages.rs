//! The programs on the project's pages, compiled so that they stay true.

#[doc = include_str!("../../README.md")]
#[derive(Debug)]
pub struct Readme;

#[doc = include_str!("../../docs/driving.md")]
#[derive(Debug)]
pub struct Driving;

#[doc = include_str!("../../docs/credentials.md")]
#[derive(Debug)]
pub struct Credentials;

#[doc = include_str!("../../docs/cookbook.md")]
#[derive(Debug)]
pub struct Cookbook;

#[doc = include_str!("../../docs/transfers.md")]
#[derive(Debug)]
pub struct Transfers;
