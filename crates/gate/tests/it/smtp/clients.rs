//! Other people's clients: swaks and openssl, with STARTTLS.

use std::process::Stdio;

use anlauf_gate::Tls;
use anlauf_model::Stage;
use tokio::process::Command;

use super::server::MailServer;
use super::{Mailer, assert_starts, mail, shut};
use crate::cast::MELDEN;
use crate::house::House;
use crate::tls::make;

/// A gate that offers STARTTLS, and the folder of its certificate.
async fn under_tls(server: &MailServer) -> (House, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    make(folder.path(), "mx.kommunen.example").await;
    let tls = Tls {
        listen: Vec::new(),
        certificates: folder.path().to_owned(),
    };
    let house = House::with(server.address, |config| {
        config.serving.tls = Some(tls);
        config.serving.mail = Some(mail([server.address; 3]));
    })
    .await;
    house.ground().await;
    (house, folder)
}

/// What swaks says and whether it was content.
async fn swaks(house: &House, arguments: &[&str]) -> (bool, String) {
    let out = Command::new("swaks")
        .args(["--server", &house.gate.mail()[0].to_string()])
        .args(["--from", "a@client.example", "--ehlo", "client.example"])
        .args(arguments)
        .output()
        .await
        .expect("these tests need `swaks`");
    let text = [out.stdout, out.stderr].concat();
    (out.status.success(), String::from_utf8_lossy(&text).into())
}

#[tokio::test]
async fn swaks_gets_through_while_open_and_is_told_to_come_again_while_shut() {
    let server = MailServer::new().await;
    let (house, _folder) = under_tls(&server).await;
    house.open(MELDEN, 1, Stage::Full).await;
    let to = ["--to", "a@melden.example,b@soziales.example", "--tls"];
    let (_, told) = swaks(&house, &to).await;
    assert!(told.contains("TLS started"), "{told}");
    assert!(told.contains("450 4.3.2"), "{told}");
    assert!(told.contains("250 2.0.0 kept as 1"), "{told}");
    assert_eq!(server.taken()[0].to, ["RCPT TO:<a@melden.example>"]);
    let (is_content, told) = swaks(&house, &["--to", "a@melden.example", "--pipeline"]).await;
    assert!(is_content, "{told}");
    shut(&house, MELDEN, 1).await;
    let (is_content, told) = swaks(&house, &["--to", "a@melden.example", "--pipeline"]).await;
    assert!(!is_content && told.contains("450 4.3.2"), "{told}");
    assert_eq!(server.taken().len(), 2);
}

#[tokio::test]
async fn openssl_sees_the_certificate_of_the_relays_name() {
    let server = MailServer::new().await;
    let (house, folder) = under_tls(&server).await;
    let out = Command::new("openssl")
        .args(["s_client", "-starttls", "smtp", "-noservername"])
        .args([
            "-verify_return_error",
            "-verify_hostname",
            "mx.kommunen.example",
        ])
        .args(["-connect", &house.gate.mail()[0].to_string(), "-CAfile"])
        .arg(folder.path().join("mx.kommunen.example.pem"))
        .stdin(Stdio::null())
        .output()
        .await
        .expect("these tests need `openssl`");
    let told = String::from_utf8_lossy(&out.stdout);
    assert!(
        told.contains("Verified peername: mx.kommunen.example"),
        "{told}"
    );
}

/// What was said before the handshake counts for nothing behind it (CVE-2011-0411).
#[tokio::test]
async fn nothing_is_smuggled_past_the_handshake() {
    let server = MailServer::new().await;
    let (house, _folder) = under_tls(&server).await;
    let mut mailer = Mailer::hello(house.gate.mail()[0]).await;
    mailer.say("STARTTLS\r\nRSET\r\n").await;
    assert_starts(&mailer.answer().await, "521 5.5.1");
    assert_eq!(mailer.answer().await, "");
}
