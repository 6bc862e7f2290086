//! The page as a reader gets it: complete, self-contained, and safe with any key.

use chrono::DateTime;

use super::{KeyPage, ListingPage, Report, html};
use crate::base::Accuracy;
use crate::chart::tests::{dataset, day, key_report, two_weeks};
use crate::profile::keys::{Distinct, RankedKey};
use crate::profile::{CostModel, PartitionSkew, RowCount, RowCounts, compare_ranges, partition_skew};
use crate::storage::{DatasetKeys, Partition};

fn made(listing: Option<ListingPage<'_>>, keys: Option<KeyPage<'_>>) -> String {
    html(&Report {
        location: "s3://lake/raw/",
        now: DateTime::from_timestamp(1_578_571_200, 0).unwrap(),
        costs: &CostModel::default(),
        listing,
        keys,
    })
    .unwrap()
}

fn listing<'a>(dataset: &'a DatasetKeys, skew: &'a PartitionSkew) -> ListingPage<'a> {
    ListingPage {
        dataset,
        skew,
        accuracy: Accuracy::Exact,
        range: None,
        rows: None,
        comparison: None,
    }
}

fn page(dataset: &DatasetKeys, with_keys: bool) -> String {
    let costs = CostModel::default();
    let skew = partition_skew(dataset, &costs);
    let keys = key_report();
    made(
        Some(listing(dataset, &skew)),
        with_keys.then_some(KeyPage {
            report: &keys,
            ranking: &[],
        }),
    )
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
    assert_eq!(page.matches("<svg").count(), 14, "seven charts in two themes");
    assert!(page.ends_with("</html>\n"));
}

#[test]
fn two_ranges_and_rows_stand_on_the_page_with_their_charts_and_tables() {
    let (dataset, costs) = (two_weeks(), CostModel::default());
    let counted = |n_rows, error| RowCount {
        n_rows,
        error,
        accuracy: if error.is_some() {
            Accuracy::Estimate
        } else {
            Accuracy::Exact
        },
        n_files: 12,
        n_files_read: 4,
    };
    let rows = RowCounts {
        partitions: (1..=14)
            .filter(|n| *n != 6)
            .map(|n| (day(1, n), counted(1000 + u64::from(n), (n > 1).then_some(40))))
            .collect(),
        n_unreadable: 2,
        unreadable: vec!["a.jsonl".to_owned(), "b.jsonl".to_owned()],
        is_partial: false,
    };
    let range = "2020-01-08..2020-01-14".parse().unwrap();
    let against = "2020-01-01..2020-01-07".parse().unwrap();
    let comparison = compare_ranges(&dataset, Some(range), against, Some(&rows), &costs);
    let within = dataset.within(range);
    let skew = partition_skew(&within, &costs);
    let page = made(
        Some(ListingPage {
            range: Some(range),
            rows: Some(&rows),
            comparison: Some(&comparison),
            ..listing(&within, &skew)
        }),
        None,
    );
    for word in [
        "dates 2020-01-08..2020-01-14",
        "<h2>2020-01-08..2020-01-14 against 2020-01-01..2020-01-07</h2>",
        "The ranges hold 7 dates and 6 dates",
        "bytes a date",
        "+201.1%",
        "<title>Bytes per day, 2020-01-08..2020-01-14 against",
        "Found in 2020-01-08..2020-01-14 only:",
        "Found in 2020-01-01..2020-01-07 only:",
        "<td>2020-01-13</td><td class=\"number\">440,000</td><td class=\"number\">12</td><td class=\"number\">1,013</td>\
         <td>2020-01-06</td><td class=\"number\">–</td>",
        "<title>Rows per day</title>",
        "7,077 ± 106 rows (estimate, 28 of 84 files)",
        "± 106, estimate",
        "2 files could not be read",
        "<td class=\"number\">1,009</td><td class=\"number\">40</td><td>estimate</td>",
    ] {
        assert!(page.contains(word), "{word}");
    }
    assert_eq!(page.matches("<svg").count(), 18, "nine charts in two themes");
}

#[test]
fn a_listing_that_was_stopped_is_not_called_exact() {
    let dataset = two_weeks();
    let skew = partition_skew(&dataset, &CostModel::default());
    let page = made(
        Some(ListingPage {
            accuracy: Accuracy::Partial { n: 558 },
            ..listing(&dataset, &skew)
        }),
        None,
    );
    assert!(page.contains("partial: first 558, from the listing") && page.contains("stopped before its end"));
    assert!(!page.contains("exact, from the listing"));
}

#[test]
fn keys_that_were_asked_for_together_are_ranked_on_the_page() {
    let report = key_report();
    let ranked = |name: &str, verdict: &str| RankedKey {
        columns: vec![name.to_owned()],
        distinct: Distinct {
            n: 977,
            low: 977,
            high: 977,
            is_exact: true,
        },
        top_share: Some(0.4),
        null_share: None,
        max_over_mean: Some(20.5),
        baseline_max_over_mean: Some(1.2),
        n_empty: 0,
        wall_seconds: 3.0,
        verdict: verdict.to_owned(),
    };
    let ranking = [ranked("user", "even"), ranked("company", "a hot key")];
    let page = made(
        None,
        Some(KeyPage {
            report: &report,
            ranking: &ranking,
        }),
    );
    for word in [
        "Keys compared",
        "<td>user</td><td class=\"number\">977</td><td class=\"number\">40%</td><td class=\"number\">–</td>",
        "50 partitions by Spark&#39;s hash",
        "waits for the largest",
    ] {
        assert!(page.contains(word), "{word}");
    }
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
    assert!(page.contains("A Lorenz curve needs two partitions"));
}
