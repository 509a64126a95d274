//! Good photos pass, bad ones get the reason a person can act on.

use image::{DynamicImage, Rgb, RgbImage};

use super::check;
use crate::kernel::synth::{jpeg, portrait};

fn codes(bytes: &[u8]) -> Vec<&'static str> {
    match check(bytes) {
        Ok(_) => vec!["good"],
        Err(faults) => faults.into_iter().map(|(code, _)| code).collect(),
    }
}

#[test]
fn drawn_portraits_are_taken() {
    for seed in 0..20 {
        assert_eq!(codes(&portrait(seed, (560, 720))), ["good"], "seed {seed}");
    }
    let large = check(&portrait(3, (2100, 2700))).expect("a large one");
    assert_eq!((large.width, large.height), (700, 900));
}

#[test]
fn each_fault_is_named() {
    let good = image::load_from_memory(&portrait(1, (560, 720))).expect("a portrait");
    let encoded = |image: DynamicImage| jpeg(&image.to_rgb8());
    let noise = RgbImage::from_fn(560, 720, |x, y| {
        Rgb([if (x / 9 + y / 9) % 2 == 0 { 0 } else { 255 }; 3])
    });
    let cases: [(&str, Vec<u8>); 9] = [
        ("photo-no-jpeg", b"GIF89a".to_vec()),
        ("photo-no-jpeg", Vec::new()),
        ("photo-too-large", vec![0xff; super::SIZE_MAX + 1]),
        ("photo-proportions", portrait(1, (720, 720))),
        ("photo-too-small", portrait(1, (280, 360))),
        (
            "photo-flat",
            jpeg(&RgbImage::from_pixel(560, 720, Rgb([128; 3]))),
        ),
        ("photo-light", encoded(good.brighten(-190))),
        ("photo-blurred", encoded(good.blur(25.0))),
        ("photo-background", jpeg(&noise)),
    ];
    for (code, bytes) in cases {
        assert!(codes(&bytes).contains(&code), "{code}: {:?}", codes(&bytes));
    }
}

#[test]
fn broken_files_are_refused_at_every_length() {
    let good = portrait(1, (413, 531));
    for cut in (0..600).chain([good.len() / 2]) {
        // A decoder may fill up what is missing at the end; it must never fall over.
        let _judged = check(&good[..cut]);
    }
    assert_eq!(codes(&good[..200]), ["photo-broken"]);
}

#[test]
fn bombs_are_refused_before_they_are_decoded() {
    let mut bomb = portrait(1, (413, 531));
    let at = bomb
        .windows(2)
        .position(|pair| pair == [0xff, 0xc0])
        .expect("a frame");
    bomb[at + 5..at + 9].copy_from_slice(&[0xff, 0xff, 0xff, 0xff]);
    assert_eq!(codes(&bomb), ["photo-too-many-pixels"]);
    let mut scans = portrait(1, (413, 531));
    for _ in 0..30 {
        scans.extend([0xff, 0xda]);
    }
    assert_eq!(codes(&scans), ["photo-broken"]);
}

#[test]
fn metadata_does_not_survive() {
    let good = portrait(1, (560, 720));
    let secret = b"Exif\0\0 GPS 52.5200 N 13.4050 E";
    let mut tagged = good[..2].to_vec();
    tagged.extend([0xff, 0xe1]);
    tagged.extend(
        u16::try_from(secret.len() + 2)
            .expect("short")
            .to_be_bytes(),
    );
    tagged.extend(secret);
    tagged.extend(&good[2..]);
    let kept = check(&tagged).expect("still a good photo").jpeg;
    assert!(tagged.windows(3).any(|w| w == b"GPS"));
    assert!(!kept.windows(3).any(|w| w == b"GPS"));
    assert!(!kept.windows(4).any(|w| w == b"Exif"));
}
