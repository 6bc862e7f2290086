//! The page as a reader gets it: complete, self-contained, and safe with any key.

use chrono::DateTime;

use super::{Report, html};
use crate::chart::tests::{dataset, key_report, two_weeks};
use crate::profile::{CostModel, partition_skew};
use crate::storage::{DatasetKeys, Partition};

fn page(dataset: &DatasetKeys, with_keys: bool) -> String {
    let costs = CostModel::default();
    let skew = partition_skew(dataset, &costs);
    let keys = key_report();
    html(&Report {
        location: "s3://lake/raw/",
        now: DateTime::from_timestamp(1_578_571_200, 0).unwrap(),
        costs: &costs,
        listing: Some((dataset, &skew)),
        keys: with_keys.then_some(&keys),
    })
    .unwrap()
}

#[test]
fn the_page_needs_no_network_and_no_script() {
    let page = page(&two_weeks(), true);
    for reference in [
        "src=", "href=", "url(", "@import", "<script", "<link", "<iframe", "<object",
    ] {
        assert!(!page.contains(reference), "{reference}");
    }
    // The only addresses are names of XML namespaces and of the lake.
    let addresses: Vec<&str> = page
        .split("http")
        .skip(1)
        .filter(|rest| rest.starts_with("://") || rest.starts_with("s://"))
        .collect();
    assert!(
        addresses
            .iter()
            .all(|rest| rest.starts_with("://www.w3.org/2000/svg")),
        "{addresses:.60?}"
    );
}

#[test]
fn hostile_keys_and_partitions_stay_text() {
    let hostile = Partition::Keys(vec![(
        "c".to_owned(),
        "\"><script>alert(1)</script><b a='".to_owned(),
    )]);
    let page = page(&dataset([(hostile, 2, 100), (Partition::Whole, 1, 50)]), true);
    assert!(!page.contains("<script"));
    assert!(
        page.contains("&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&lt;b a"),
        "{page:.2000}"
    );
    assert!(page.contains("<td>&lt;script&gt;alert(1)&lt;/script&gt;</td>"));
}

#[test]
fn the_page_says_what_where_when_and_how_sure() {
    let page = page(&two_weeks(), false);
    for word in [
        "<title>Skew of raw</title>",
        "s3://lake/raw/",
        "2020-01-09T12:00:00Z · skewer ",
        "12.0 ×",
        "</span> 2020-01-09 holds",
        "What to do:",
        "411 requests a pass (estimate)",
        "Bytes below raw",
        "median 440 KB",
        "Costs are estimates that assume 16 slots",
        "exact, from the listing",
        "<td>2020-01-11</td>",
        "prefers-color-scheme:dark",
    ] {
        assert!(page.contains(word), "{word}");
    }
    assert_eq!(page.matches("<svg").count(), 12, "six charts in two themes");
    assert!(page.ends_with("</html>\n"));
}

#[test]
fn a_page_of_keys_compares_even_values_and_numbers_of_partitions() {
    let page = page(&two_weeks(), true);
    for word in [
        "Key company",
        "with perfectly even values",
        "50 partitions by rows",
        "(recommended)",
        "Every key was counted.",
    ] {
        assert!(page.contains(word), "{word}");
    }
}

#[test]
fn an_empty_lake_has_a_page_too() {
    let page = page(&dataset([]), false);
    assert!(page.contains("nothing to show") && !page.contains("NaN") && !page.contains("inf"));
}
