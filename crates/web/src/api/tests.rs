//! The API as its clients meet it.

mod cover;
mod document;
mod feed;
mod input;
mod ledger;
mod order;
mod read;
mod stream;
