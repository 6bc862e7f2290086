//! One self-contained HTML page: no script, nothing from a network, both themes. Every text is escaped, because names and
//! keys of a lake are any text.

use crate::chart::Picture;
use crate::chart::draw::{DrawError, PictureSize, escaped, svg};
use crate::chart::palette::{DARK, LIGHT, Palette};
use crate::profile::{Finding, Severity};

/// A page that is being written.
pub struct Page {
    body: String,
}

/// A table's cell.
pub enum Cell {
    Text(String),
    /// Aligned at the right, in digits of one width.
    Number(String),
}

/// A figure that heads the page.
pub struct Figure {
    pub label: &'static str,
    pub value: String,
    pub note: String,
    pub severity: Severity,
}

impl Page {
    pub fn new() -> Self {
        Self { body: String::new() }
    }

    pub fn heading(&mut self, text: &str) {
        self.add(&format!("<h2>{}</h2>\n", escaped(text)));
    }

    pub fn paragraph(&mut self, text: &str) {
        self.add(&format!("<p>{}</p>\n", escaped(text)));
    }

    fn add(&mut self, html: &str) {
        self.body.push_str(html);
    }

    pub fn figures(&mut self, figures: &[Figure]) {
        self.add("<div class=\"figures\">\n");
        for figure in figures {
            self.add(&format!(
                "<div class=\"figure {}\"><div class=\"label\">{}</div><div class=\"value\">{}</div><div \
                 class=\"label\">{}</div></div>\n",
                figure.severity.word(),
                escaped(figure.label),
                escaped(&figure.value),
                escaped(&figure.note)
            ));
        }
        self.add("</div>\n");
    }

    /// What was found, in the order given.
    pub fn findings(&mut self, findings: &[Finding]) {
        for finding in findings {
            let word = finding.severity.word();
            self.add(&format!(
                "<section class=\"finding {word}\"><h3><span class=\"badge\">{word}</span> {}</h3><p>{}</p>",
                escaped(&finding.title),
                escaped(&finding.message)
            ));
            if !finding.remedy.is_empty() {
                self.add(&format!(
                    "<p class=\"remedy\"><b>What to do:</b> {}</p>",
                    escaped(&finding.remedy)
                ));
            }
            if let Some(cost) = finding.cost_words() {
                self.add(&format!("<p class=\"label\">{}</p>", escaped(&cost)));
            }
            self.add("</section>\n");
        }
    }

    /// The picture in both themes; a reader sees one of them.
    pub fn picture(&mut self, picture: &Picture, size: PictureSize) -> Result<(), DrawError> {
        let mut drawn = |class: &str, palette: &Palette| -> Result<(), DrawError> {
            let svg = svg(picture, size, palette)?;
            self.body
                .extend([format!("<div class=\"picture {class}\">\n{svg}</div>\n")]);
            Ok(())
        };
        drawn("light", &LIGHT)?;
        drawn("dark", &DARK)
    }

    /// A table; `caption` says what it lists and how much of it.
    pub fn table(&mut self, caption: &str, head: &[&str], rows: impl Iterator<Item = Vec<Cell>>) {
        self.add(&format!(
            "<table><caption>{}</caption>\n<thead><tr>",
            escaped(caption)
        ));
        // A title stands over its numbers.
        let mut rows = rows.peekable();
        let first: &[Cell] = rows.peek().map_or(&[], Vec::as_slice);
        let titles: Vec<String> = head
            .iter()
            .enumerate()
            .map(|(at, title)| match first.get(at) {
                Some(Cell::Number(_)) => {
                    format!("<th scope=\"col\" class=\"number\">{}</th>", escaped(title))
                }
                _ => format!("<th scope=\"col\">{}</th>", escaped(title)),
            })
            .collect();
        self.add(&titles.concat());
        self.add("</tr></thead>\n<tbody>\n");
        for row in rows {
            self.add("<tr>");
            for cell in row {
                let html = match cell {
                    Cell::Text(text) => format!("<td>{}</td>", escaped(&text)),
                    Cell::Number(text) => format!("<td class=\"number\">{}</td>", escaped(&text)),
                };
                self.add(&html);
            }
            self.add("</tr>\n");
        }
        self.add("</tbody></table>\n");
    }

    /// The whole document. `facts` stand below the title: where, when, by which version.
    pub fn finish(self, title: &str, facts: &[String]) -> String {
        let facts: Vec<String> = facts.iter().map(|fact| escaped(fact)).collect();
        format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
             content=\"width=device-width, initial-scale=1\">\n<meta name=\"color-scheme\" content=\"light dark\">\n<meta \
             http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src \
             'unsafe-inline'\">\n<title>{}</title>\n<style>\n{}</style>\n</head>\n<body>\n<main>\n<h1>{}</h1>\n<p \
             class=\"facts\">{}</p>\n{}</main>\n</body>\n</html>\n",
            escaped(title),
            style(),
            escaped(title),
            facts.join("<br>\n"),
            self.body
        )
    }
}

/// The colours of both themes, and the shapes of the page.
fn style() -> String {
    let colors = |palette: &Palette| {
        let names = [
            ("background", palette.background),
            ("panel", palette.panel),
            ("line", palette.line),
            ("text", palette.text),
            ("weak", palette.weak),
            ("good", palette.good),
            ("note", palette.data),
            ("warn", palette.warn),
            ("bad", palette.bad),
        ];
        names
            .into_iter()
            .map(|(name, color)| format!("--{name}:#{color:06x};"))
            .collect::<Vec<_>>()
            .concat()
    };
    format!(
        ":root{{{}}}\n@media (prefers-color-scheme:dark){{:root{{{}}}}}\n{SHAPES}",
        colors(&LIGHT),
        colors(&DARK)
    )
}

const SHAPES: &str = "\
body{margin:0;background:var(--background);color:var(--text);font:14px/1.5 Inter,'Helvetica Neue',Arial,sans-serif}
main{max-width:1000px;margin:0 auto;padding:24px 16px 48px}
h1{font-size:22px;margin:0 0 4px;overflow-wrap:anywhere}
h2{font-size:16px;margin:32px 0 12px}
h3{font-size:14px;margin:0 0 4px;overflow-wrap:anywhere}
p{margin:0 0 8px;max-width:80ch;overflow-wrap:anywhere}
.facts,.label,caption{color:var(--weak);font-size:12.5px}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(145px,1fr));gap:12px;margin:20px 0}
.figure,.finding,.picture,table{background:var(--panel);border:1px solid var(--line);border-radius:8px}
.figure{padding:12px 14px}
.value{font-size:20px;font-weight:600}
.figure.good .value{color:var(--text)}.figure.note .value{color:var(--text)}
.figure.warn .value{color:var(--warn)}.figure.bad .value{color:var(--bad)}
.finding{padding:12px 14px;margin:0 0 12px;border-left-width:4px}
.finding.good{border-left-color:var(--good)}.finding.note{border-left-color:var(--note)}
.finding.warn{border-left-color:var(--warn)}.finding.bad{border-left-color:var(--bad)}
.badge{font-size:11px;font-weight:600;text-transform:uppercase;letter-spacing:.04em;padding:1px 6px;border:1px solid;\
border-radius:4px;margin-right:4px}
.good .badge{color:var(--good)}.note .badge{color:var(--note)}.warn .badge{color:var(--warn)}
.bad .badge{color:var(--bad)}
.remedy{margin:0}
.picture{margin:0 0 12px;padding:4px;overflow-x:auto}
.picture svg{display:block;width:100%;height:auto}
.dark{display:none}
@media (prefers-color-scheme:dark){.dark{display:block}.light{display:none}}
table{border-collapse:separate;border-spacing:0;width:100%;margin:0 0 12px;font-size:13px}
caption{text-align:left;padding:0 2px 6px}
th,td{text-align:left;padding:6px 12px;border-top:1px solid var(--line);overflow-wrap:anywhere;vertical-align:top}
thead th{border-top:0;color:var(--weak);font-weight:600}
th.number,td.number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
@media print{.finding,.picture,tr{break-inside:avoid}}
";
