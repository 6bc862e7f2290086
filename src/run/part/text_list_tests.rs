//! Tests of lists of texts as chunks: a reader of another make gets back what was written, page by page.

use std::slice::from_ref;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Int64Array, LargeListBuilder, RecordBatch, StringViewBuilder, StructArray,
};
use arrow::datatypes::{Field, Schema};
use bytes::Bytes;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder, RowSelection, RowSelector,
};
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData, RowGroupMetaData};
use parquet::file::page_index::column_index::ColumnIndexMetaData;
use parquet::file::properties::WriterProperties;
use proptest::prelude::*;

use super::file::{GroupLimits, ParquetFile};

type Lists = Vec<Option<Vec<Option<String>>>>;

const ANY: GroupLimits = GroupLimits {
    rows: usize::MAX,
    bytes: 1 << 30,
};

fn array(lists: &Lists) -> ArrayRef {
    let mut builder = LargeListBuilder::new(StringViewBuilder::new());
    for list in lists {
        builder.append_option(list.as_ref().map(|list| list.iter().map(Option::as_ref)));
    }
    Arc::new(builder.finish())
}

fn write(batches: &[Lists], compression: Compression, limits: GroupLimits) -> Bytes {
    let dtype = array(&Vec::new()).data_type().clone();
    let schema = Arc::new(Schema::new(vec![Field::new("words", dtype, true)]));
    let properties = WriterProperties::builder()
        .set_compression(compression)
        .set_coerce_types(true)
        .build();
    let mut file = ParquetFile::new(Vec::new(), Arc::clone(&schema), properties, limits, 1).unwrap();
    for lists in batches {
        file.write(&RecordBatch::try_new(Arc::clone(&schema), vec![array(lists)]).unwrap())
            .unwrap();
    }
    file.finish().unwrap().into()
}

fn metadata(file: &Bytes) -> Arc<ParquetMetaData> {
    let options = ArrowReaderOptions::new()
        .with_page_index_policy(PageIndexPolicy::Required)
        .with_encoding_stats_as_mask(false);
    Arc::clone(ArrowReaderMetadata::load(file, options).unwrap().metadata())
}

fn read(file: &Bytes, rows: Option<RowSelection>) -> Lists {
    let options = ArrowReaderOptions::new().with_page_index_policy(PageIndexPolicy::Required);
    let mut reader = ParquetRecordBatchReaderBuilder::try_new_with_options(file.clone(), options).unwrap();
    if let Some(rows) = rows {
        reader = reader.with_row_selection(rows);
    }
    let mut lists = Lists::new();
    for batch in reader.build().unwrap() {
        let batch = batch.unwrap();
        lists.extend(batch.column(0).as_list::<i32>().iter().map(|list| {
            let list = list?;
            let texts = list.as_string::<i32>().iter();
            Some(texts.map(|text| text.map(str::to_owned)).collect())
        }));
    }
    lists
}

fn lists() -> impl Strategy<Value = Lists> {
    let text = prop_oneof![4 => "[a-c]{0,2}", 1 => "[a-cé]{11,14}", 1 => ".{60,80}"];
    let texts = prop::collection::vec(prop::option::weighted(0.9, text), 0..20);
    prop::collection::vec(prop::option::weighted(0.9, texts), 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn lists_read_back_whatever_the_batches_groups_and_compression_are(
        batches in prop::collection::vec(lists(), 1..4),
        group_rows in 1_usize..50,
        compression in prop_oneof![
            Just(Compression::UNCOMPRESSED),
            Just(Compression::SNAPPY),
            Just(Compression::ZSTD(ZstdLevel::default())),
        ],
    ) {
        let file = write(&batches, compression, GroupLimits { rows: group_rows, ..ANY });
        let expected = batches.concat();
        let footer = metadata(&file);
        prop_assert_eq!(footer.num_row_groups(), expected.len().div_ceil(group_rows));
        prop_assert_eq!(read(&file, None), expected.clone());
        let mut from = 0;
        for group in footer.row_groups() {
            let rows = &expected[from..][..usize::try_from(group.num_rows()).unwrap()];
            from += rows.len();
            let texts = || rows.iter().flatten().flatten().flatten();
            let column = group.column(0);
            let statistics = column.statistics().unwrap();
            let n_values: usize = rows.iter().map(|list| list.as_ref().map_or(1, |list| list.len().max(1))).sum();
            prop_assert_eq!(column.num_values(), i64::try_from(n_values).unwrap());
            prop_assert_eq!(statistics.null_count_opt(), Some((n_values - texts().count()) as u64));
            let bytes: usize = texts().map(String::len).sum();
            prop_assert_eq!(column.unencoded_byte_array_data_bytes(), Some(i64::try_from(bytes).unwrap()));
            prop_assert_eq!(statistics.min_bytes_opt().is_some(), texts().next().is_some());
            for text in texts() {
                prop_assert!(statistics.min_bytes_opt().unwrap() <= text.as_bytes());
                prop_assert!(statistics.max_bytes_opt().unwrap() >= text.as_bytes());
            }
        }
    }
}

#[test]
fn pages_are_cut_and_their_index_finds_a_row_in_the_middle() {
    let lists: Lists = (0..50_000)
        .map(|row| {
            Some(
                (0..3)
                    .map(|i| Some(format!("{}", (row * 7 + i) % 1000)))
                    .collect(),
            )
        })
        .collect();
    let file = write(from_ref(&lists), Compression::SNAPPY, ANY);
    let footer = metadata(&file);
    assert_eq!(footer.num_row_groups(), 1);
    let locations = footer.offset_index().unwrap()[0][0].page_locations();
    assert_eq!(
        locations.iter().map(|at| at.first_row_index).collect::<Vec<_>>(),
        [0, 20_000, 40_000]
    );
    let column = footer.row_group(0).column(0);
    let (start, len) = column.byte_range();
    let last = locations.last().unwrap();
    assert_eq!(
        last.offset + i64::from(last.compressed_page_size),
        i64::try_from(start + len).unwrap()
    );
    let ColumnIndexMetaData::BYTE_ARRAY(index) = &footer.column_index().unwrap()[0][0] else {
        panic!("no index")
    };
    assert_eq!(index.min_value(1), Some(b"0".as_slice()));
    assert_eq!(index.max_value(1), Some(b"999".as_slice()));
    let rows = RowSelection::from(vec![RowSelector::skip(43_210), RowSelector::select(5)]);
    assert_eq!(read(&file, Some(rows)), lists[43_210..43_215]);
}

#[test]
fn a_dictionary_that_grows_too_large_is_given_up() {
    let lists: Lists = (0..3_000)
        .map(|row| {
            Some(
                (0..40)
                    .map(|i| Some(format!("word number {}", row * 40 + i)))
                    .collect(),
            )
        })
        .collect();
    let file = write(from_ref(&lists), Compression::SNAPPY, ANY);
    let footer = metadata(&file);
    let stats = footer.row_group(0).column(0).page_encoding_stats().unwrap();
    let n = |encoding: Encoding| {
        let of_pages = stats.iter().filter(|stat| stat.encoding == encoding);
        of_pages.map(|stat| stat.count).sum::<i32>()
    };
    assert!(
        n(Encoding::PLAIN) > 1 && n(Encoding::RLE_DICTIONARY) > 0,
        "{stats:?}"
    );
    assert_eq!(read(&file, None), lists);
    let rows = RowSelection::from(vec![RowSelector::skip(2_990), RowSelector::select(10)]);
    assert_eq!(read(&file, Some(rows)), lists[2_990..]);
}

#[test]
fn a_row_group_is_cut_by_its_bytes() {
    let lists: Lists = (0..20_000)
        .map(|row: u32| {
            let word = |i: u32| (row * 11 + i).wrapping_mul(2_654_435_761);
            Some((0..10).map(|i| Some(format!("{:x}", word(i)))).collect())
        })
        .collect();
    let limit = 256 << 10;
    let limits = GroupLimits { bytes: limit, ..ANY };
    let file = write(from_ref(&lists), Compression::UNCOMPRESSED, limits);
    let footer = metadata(&file);
    let sizes: Vec<i64> = footer
        .row_groups()
        .iter()
        .map(RowGroupMetaData::compressed_size)
        .collect();
    let (_, whole) = sizes.split_last().unwrap();
    let limit = i64::try_from(limit).unwrap();
    assert!(whole.len() > 4, "{sizes:?}");
    assert!(
        whole
            .iter()
            .all(|size| *size > limit * 3 / 4 && *size < limit * 5 / 4),
        "{sizes:?}"
    );
    assert_eq!(read(&file, None), lists);
}

#[test]
fn columns_encoded_side_by_side_give_the_same_bytes() {
    let lists: Lists = (0..5_000)
        .map(|row| {
            Some(
                (0..row % 9)
                    .map(|i| Some(format!("word {}", (row + i) % 700)))
                    .collect(),
            )
        })
        .collect();
    let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(0..5_000));
    let texts: ArrayRef = Arc::new(arrow::array::StringViewArray::from_iter_values(
        (0..5_000).map(|row| format!("a text of row {row}")),
    ));
    let fields = vec![
        (
            Arc::new(Field::new("n", numbers.data_type().clone(), true)),
            Arc::clone(&numbers),
        ),
        (
            Arc::new(Field::new("t", texts.data_type().clone(), true)),
            Arc::clone(&texts),
        ),
    ];
    let columns = [
        ("number", numbers),
        ("words", array(&lists)),
        ("both", Arc::new(StructArray::from(fields)) as ArrayRef),
        ("text", texts),
    ];
    let batch =
        RecordBatch::try_from_iter_with_nullable(columns.map(|(name, array)| (name, array, true))).unwrap();
    let write = |n_lanes| {
        let properties = WriterProperties::builder().set_coerce_types(true).build();
        let mut file = ParquetFile::new(Vec::new(), batch.schema(), properties, ANY, n_lanes).unwrap();
        for _ in 0..3 {
            file.write(&batch).unwrap();
        }
        Bytes::from(file.finish().unwrap())
    };
    let alone = write(1);
    assert_eq!(metadata(&alone).file_metadata().num_rows(), 15_000);
    for n_lanes in [2, 3, 9] {
        assert!(write(n_lanes) == alone, "{n_lanes} lanes");
    }
}
