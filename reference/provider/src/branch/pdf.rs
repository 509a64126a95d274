//! A page of text as a PDF (1.4): one page A4, one of the fonts every reader has.
//!
//! In:    lines with their sizes. Out: a document. Never: a script, a form, a font of others.
//!
//! Written by hand: a certificate is twenty lines of text, a crate for PDF brings fonts, images
//! and compression. Letters outside of Latin-1 become `?`.

/// Left edge and first line, in points from the lower left corner of 595 × 842.
const LEFT: u32 = 72;
const TOP: u32 = 770;

/// A document of lines: size in points, text.
pub(super) fn page(title: &str, lines: &[(u32, String)]) -> Vec<u8> {
    let mut text = format!("BT\n{LEFT} {TOP} Td\n").into_bytes();
    for (size, line) in lines {
        let drop = size + size / 2;
        text.extend(format!("/F1 {size} Tf\n0 -{drop} Td\n").bytes());
        text.extend(literal(line));
        text.extend(b" Tj\n");
    }
    text.extend(b"ET\n");
    let mut stream = format!("<< /Length {} >>\nstream\n", text.len()).into_bytes();
    stream.extend(text);
    stream.extend(b"endstream");
    let mut info = b"<< /Title ".to_vec();
    info.extend(literal(title));
    info.extend(b" >>");
    let objects: [Vec<u8>; 6] = [
        b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(),
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_vec(),
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R \
          /Resources << /Font << /F1 5 0 R >> >> >>"
            .to_vec(),
        stream,
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"
            .to_vec(),
        info,
    ];
    assemble(&objects)
}

/// Objects, the table of where each begins, the trailer.
fn assemble(objects: &[Vec<u8>]) -> Vec<u8> {
    let mut file = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n".to_vec();
    let mut table = String::from("0000000000 65535 f \n");
    for (index, object) in objects.iter().enumerate() {
        table.push_str(&format!("{:010} 00000 n \n", file.len()));
        file.extend(format!("{} 0 obj\n", index + 1).bytes());
        file.extend(object);
        file.extend(b"\nendobj\n");
    }
    let (at, count) = (file.len(), objects.len() + 1);
    file.extend(format!("xref\n0 {count}\n{table}").bytes());
    let trailer = format!("trailer\n<< /Size {count} /Root 1 0 R /Info 6 0 R >>\n");
    file.extend(trailer.bytes());
    file.extend(format!("startxref\n{at}\n%%EOF\n").bytes());
    file
}

/// Text in brackets: three signs are escaped, letters are Latin-1.
fn literal(text: &str) -> Vec<u8> {
    let mut out = vec![b'('];
    for letter in text.chars() {
        match u8::try_from(letter) {
            Ok(sign @ (b'(' | b')' | b'\\')) => out.extend([b'\\', sign]),
            Ok(b @ (0x20..=0x7e | 0xa0..=0xff)) => out.push(b),
            _ => out.push(b'?'),
        }
    }
    out.push(b')');
    out
}
