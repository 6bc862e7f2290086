//! What holds for any records and any bytes.

use proptest::prelude::*;

use super::DecodeOptions;
use super::tests::{decode, decode_with, gzip, schema};
use crate::dataset::{Codec, Reject};

fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<f64>()
            .prop_filter("finite", |x| x.is_finite())
            .prop_map(Into::into),
        ".*".prop_map(Into::into),
    ];
    leaf.prop_recursive(3, 24, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Into::into),
            proptest::collection::btree_map(".{0,6}", inner, 0..5)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn values_of_declared_types_come_back_as_they_were(
        i in any::<i64>(), f in any::<f64>().prop_filter("finite", |x| x.is_finite()), s in any::<String>(),
        b in any::<Option<bool>>(), list in proptest::collection::vec(any::<i64>(), 0..6), json in any_json(),
        order in Just(vec!["i", "f", "s", "b", "l", "j", "n"]).prop_shuffle(),
    ) {
        let record = serde_json::json!({"i": i, "f": f, "s": s, "b": b, "l": list, "j": json, "n": {"m": s}});
        let members: Vec<String> = order.iter().map(|key| format!("{}: {}", serde_json::json!(key), record[key])).collect();
        let fields = "fields: [{name: i, type: int64}, {name: f, type: float64}, {name: s, type: string}, {name: b, type: bool}, \
                      {name: l, type: list<int64>}, {name: j, type: json}, {name: n, type: 'struct<m: string>'}]";
        let decoded = decode(fields, format!("{{{}}}", members.join(", ")));
        prop_assert_eq!(decoded.rejects(), Vec::<&Reject>::new());
        let df = &decoded.batches[0].df;
        prop_assert_eq!(df.column("i").unwrap().i64().unwrap().get(0), Some(i));
        prop_assert_eq!(df.column("f").unwrap().f64().unwrap().get(0).map(f64::to_bits), Some(f.to_bits()));
        prop_assert_eq!(df.column("s").unwrap().str().unwrap().get(0), Some(&*s));
        prop_assert_eq!(df.column("b").unwrap().bool().unwrap().get(0), b);
        let items = df.column("l").unwrap().list().unwrap().get_as_series(0).unwrap();
        prop_assert_eq!(items.i64().unwrap().into_no_null_iter().collect::<Vec<_>>(), list);
        let text = df.column("j").unwrap().str().unwrap().get(0).map(str::to_owned);
        prop_assert_eq!(text, (!json.is_null()).then(|| json.to_string()));
        let inner = df.column("n").unwrap().struct_().unwrap().field_by_name("m").unwrap();
        prop_assert_eq!(inner.str().unwrap().get(0), Some(&*s));
    }

    #[test]
    fn no_line_is_lost_or_doubled_whatever_the_bytes(
        records in proptest::collection::vec(any_json(), 0..12),
        changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 0..20),
        batch_bytes in 1_usize..2000, max_line_bytes in 1_usize..400,
    ) {
        let mut bytes: Vec<u8> = Vec::new();
        for (i, record) in records.iter().enumerate() {
            bytes.extend(format!("{{\"x\": {i}, \"s\": {{\"a\": {record}, \"l\": [{record}]}}, \"o\": {record}}}\n").bytes());
        }
        for (at, byte) in changes {
            if !bytes.is_empty() {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
        }
        let schema = schema("fields: [{name: x, type: int64}, {name: s, type: 'struct<a: json, l: list<string>>'}]");
        let options = DecodeOptions { max_line_bytes, batch_bytes, ..DecodeOptions::default() };
        let decoded = decode_with(schema, options, Codec::Gzip, gzip(&bytes).as_slice());
        let start = if bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
        let n_lines = bytes[start..].split(|byte| *byte == b'\n').filter(|line| !line.iter().all(u8::is_ascii_whitespace)).count() as u64;
        let n_rows: u64 = decoded.batches.iter().map(|batch| batch.df.height() as u64).sum();
        prop_assert_eq!(n_rows + decoded.rejects().len() as u64, n_lines);
        prop_assert_eq!(decoded.n_records(), n_lines);
        let mut places: Vec<u64> = decoded.origins().iter().map(|(line, _)| *line).collect();
        places.extend(decoded.rejects().iter().map(|reject| reject.line));
        places.sort_unstable();
        places.dedup();
        prop_assert_eq!(places.len() as u64, n_lines, "each line once");
        for reject in decoded.rejects() {
            let start = usize::try_from(reject.byte_offset).unwrap();
            let end = start + usize::try_from(reject.byte_len).unwrap().min(64 << 10);
            prop_assert_eq!(&*reject.raw, &*String::from_utf8_lossy(&bytes[start..end]));
        }
    }
}
