//! Signatures only, while the engine is being written.
#![allow(missing_docs, unused_variables, non_snake_case, clippy::missing_safety_doc, clippy::too_many_arguments)]
use crate::types::*;

pub unsafe extern "system" fn WSASendDisconnect(s: SOCKET, lpoutbounddisconnectdata: *const WSABUF) -> i32 {
    -1
}
pub unsafe extern "system" fn WSARecvDisconnect(s: SOCKET, lpinbounddisconnectdata: *const WSABUF) -> i32 {
    -1
}
