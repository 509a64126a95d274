//! What browsers send, and what nobody should.

use super::parts;

const TYPE: &str = "multipart/form-data; boundary=XX";

#[test]
fn fields_and_files_come_apart_as_they_were() {
    let body = b"--XX\r\nContent-Disposition: form-data; name=\"kind\"\r\n\r\nreha\r\n\
        --XX\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.pdf\"\r\n\
        Content-Type: application/pdf\r\n\r\n%PDF\r\n--X\r\n\r\n--XX--\r\n";
    let all = parts(TYPE, body).unwrap();
    let shown: Vec<_> = all
        .iter()
        .map(|part| (part.name.as_str(), part.file.as_deref(), part.bytes))
        .collect();
    assert_eq!(
        shown,
        [
            ("kind", None, b"reha".as_slice()),
            ("file", Some("a.pdf"), b"%PDF\r\n--X\r\n"),
        ]
    );
}

#[test]
fn broken_forms_are_no_forms() {
    let many = "--XX\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n\r\n".repeat(30);
    for (kind, body) in [
        ("text/plain", "--XX--"),
        ("multipart/form-data", "--XX--"),
        ("multipart/form-data; boundary=", "--XX--"),
        (TYPE, ""),
        (TYPE, "--XX"),
        (
            TYPE,
            "--XX\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb",
        ),
        (TYPE, "--XX\r\nno head\r\n--XX--"),
        (
            TYPE,
            "--XX\r\nContent-Disposition: form-data\r\n\r\nb\r\n--XX--",
        ),
        (TYPE, &many),
    ] {
        assert_eq!(parts(kind, body.as_bytes()), None, "{body}");
    }
    assert_eq!(parts(TYPE, b"--XX--").map(|all| all.len()), Some(0));
}
