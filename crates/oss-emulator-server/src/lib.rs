//! oss-emulator behind a loopback listener, as a library and as the oss-emulator command
