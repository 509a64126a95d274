//! The Merkle tree (RFC 6962 §2.1): leaves, root, inclusion and consistency proofs.
