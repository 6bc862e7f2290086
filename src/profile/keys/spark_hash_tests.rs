//! The values of Spark's own test suites and of `SELECT hash(...)` on Spark 4.3, session time zone UTC.

use super::super::SparkType;
use super::super::value::KeyValue::{
    self, Binary, Bool, Date, Float, Int, List, Null, Struct, Text, Timestamp,
};
use super::{hash_bytes, hash_int, hash_long, partition_of, spark_hash};

fn of(values: &[KeyValue<'_>], types: &[&str]) -> i32 {
    let types: Vec<SparkType> = types.iter().map(|text| text.parse().unwrap()).collect();
    spark_hash(values, &types).unwrap_or_else(|i| panic!("{:?} does not fit {}", values[i], types[i]))
}

fn fits(value: KeyValue<'_>, dtype: &str) -> bool {
    spark_hash(&[value], &[dtype.parse().unwrap()]).is_ok()
}

/// 2024-01-01.
const DAY: i64 = 19_723;
const INSTANT: i64 = DAY * 86_400_000_000;

/// Source: Spark `Murmur3_x86_32Suite`.
#[test]
fn ints_and_longs_have_the_values_of_spark_s_suite() {
    for (value, expected) in [
        (0, 593_689_054),
        (-42, -189_366_624),
        (42, -1_134_849_565),
        (i32::MIN, -1_718_298_732),
        (i32::MAX, -1_653_689_534),
    ] {
        assert_eq!(hash_int(value, 0).cast_signed(), expected, "{value}");
    }
    for (value, expected) in [
        (0, 1_669_671_676),
        (-42, -846_261_623),
        (42, 1_871_679_806),
        (i64::MIN, 1_366_273_829),
        (i64::MAX, -2_106_506_049),
    ] {
        assert_eq!(hash_long(value, 0).cast_signed(), expected, "{value}");
    }
}

/// Source: `murmur3.rs` of datafusion-comet.
#[test]
fn values_of_every_width_have_the_hashes_of_another_port() {
    for (value, expected) in [
        (1, 0xdea5_78e3_u32),
        (0, 0x379f_ae8f),
        (-1, 0xa059_0e3d),
        (i32::MAX, 0x07fb_67e7),
        (i32::MIN, 0x2b1f_0fc6),
        (i8::MAX.into(), 0x43b4_d8ed),
    ] {
        assert_eq!(hash_int(value, 42), expected, "{value}");
    }
    for (value, expected) in [
        (1, 0x99f0_149d_u32),
        (0, 0x9c67_b85d),
        (-1, 0xc800_8529),
        (i64::MAX, 0xa05b_5d7b),
        (i64::MIN, 0xcd1e_64fb),
    ] {
        assert_eq!(hash_long(value, 42), expected, "{value}");
    }
    let float = |value, dtype| of(&[Float(value)], &[dtype]).cast_unsigned();
    assert_eq!(float(1.0, "float"), 0xe434_cc39);
    assert_eq!(float(-1.0, "float"), 0xdc0d_a8eb);
    assert_eq!(float(1.0, "double"), 0xe487_6492);
    assert_eq!(float(0.0, "double"), 0x9c67_b85d);
    assert_eq!(float(-0.0, "double"), 0x9c67_b85d);
    assert_eq!(float(-1.0, "double"), 0x13d8_1357);
    for (text, expected) in [
        ("hello", 3_286_402_344),
        ("bar", 2_486_176_763),
        ("", 142_593_372),
        ("😁", 885_025_535),
        ("天地", 2_395_000_894),
        ("a", 1_485_273_170),
        ("ab", 0xfa37_157b),
        ("abc", 1_322_437_556),
        ("abcd", 0xe860_e5cc),
        ("abcde", 814_637_928),
    ] {
        assert_eq!(hash_bytes(text.as_bytes(), 42), expected, "{text}");
    }
}

/// `hash(...)`, `pmod(hash(...), 8)` and `pmod(hash(...), 200)`, run on Spark 4.3. The comments are the SQL.
#[test]
fn every_type_has_the_hash_and_the_partitions_that_spark_gives_it() {
    #[rustfmt::skip]
    let table: &[(&[KeyValue<'_>], &[&str], i32, u32, u32)] = &[
        (&[Null], &["int"], 42, 2, 42),
        (&[Bool(true)], &["boolean"], -559_580_957, 3, 43),
        (&[Bool(false)], &["boolean"], 933_211_791, 7, 191),
        (&[Int(42)], &["int"], 29_417_773, 5, 173),
        (&[Int(42)], &["bigint"], 1_316_951_768, 0, 168),
        (&[Text("42")], &["string"], -2_140_846_185, 7, 15),
        (&[Date(DAY)], &["date"], -456_589_419, 5, 181),
        (&[Text("2024-01-01")], &["string"], 1_555_046_387, 3, 187),
        (&[Timestamp(INSTANT)], &["timestamp"], 1_545_358_984, 0, 184),
        (&[Float(1.5)], &["double"], 1_290_763_749, 5, 149),
        (&[Float(1.5)], &["float"], -221_251_528, 0, 72),
        (&[Float(f64::NAN)], &["double"], -1_281_358_385, 7, 15),
        (&[Float(f64::NAN)], &["float"], -349_261_430, 2, 170),
        (&[Float(-0.0)], &["double"], -1_670_924_195, 5, 5),
        (&[Text("é")], &["string"], 2_119_106_806, 6, 6),
        (&[Text("hello")], &["string"], -1_008_564_952, 0, 48),
        (&[Text("")], &["string"], 142_593_372, 4, 172),
        (&[Text("a")], &["string"], 1_485_273_170, 2, 170),
        (&[Text("ab")], &["string"], -97_053_317, 3, 83),
        (&[Text("abc")], &["string"], 1_322_437_556, 4, 156),
        (&[Text("abcde")], &["string"], 814_637_928, 0, 128),
        (&[Text("天地")], &["string"], -1_899_966_402, 6, 198),
        (&[Text("😁")], &["string"], 885_025_535, 7, 135),
        (&[Text("12.34")], &["decimal(10,2)"], -1_028_144_669, 3, 131),
        (&[Int(1234)], &["decimal(38,0)"], 1_123_058_251, 3, 51),
        (&[Int(-1234)], &["decimal(38,0)"], -378_694_793, 7, 7),
        (&[Int(1)], &["tinyint"], -559_580_957, 3, 43),
        (&[Int(1)], &["smallint"], -559_580_957, 3, 43),
        (&[Binary(&[0, 0xff, 0x10])], &["binary"], -339_173_231, 1, 169),
        (&[Int(1), Text("a")], &["int", "string"], -936_062_819, 5, 181),
        (&[Text("a"), Int(1)], &["string", "int"], 532_252_686, 6, 86),
        (&[Null, Int(1)], &["int", "int"], -559_580_957, 3, 43),
        (&[Date(DAY), Text("US")], &["date", "string"], -418_201_300, 4, 100),
        (&[Text("2024-01-01"), Text("US")], &["string", "string"], -1_733_723_780, 4, 20),
        (&[Timestamp(INSTANT)], &["timestamp_ntz"], 1_545_358_984, 0, 184),
    ];
    for (values, types, hash, of_8, of_200) in table {
        assert_eq!(of(values, types), *hash, "{values:?} {types:?}");
        assert_eq!(partition_of(*hash, 8), *of_8, "{values:?}");
        assert_eq!(partition_of(*hash, 200), *of_200, "{values:?}");
    }
    let array = List(vec![Int(1), Int(2), Int(3)]);
    assert_eq!(of(&[array], &["array<int>"]), -912_918_097);
    let pair = Struct(vec![Int(1), Text("a")]);
    assert_eq!(of(&[pair], &["struct<a:int,b:string>"]), -936_062_819);
    // The example of Spark SQL's documentation.
    let example = [Text("Spark"), List(vec![Int(123)]), Int(2)];
    assert_eq!(of(&example, &["string", "array<int>", "int"]), -1_321_691_492);
}

/// Standard `MurmurHash3` gives 1,023,967,903 for it.
#[test]
fn the_last_bytes_of_a_text_are_mixed_one_by_one_with_their_sign() {
    assert_eq!(of(&[Text("é")], &["string"]), 2_119_106_806);
    assert_eq!(
        crate::base::murmur3::murmur3_x86_32("é".as_bytes(), 42),
        1_023_967_903
    );
}

#[test]
fn a_null_anywhere_leaves_the_hash_of_the_others() {
    let one = of(&[Int(1)], &["int"]);
    for values in [[Null, Int(1)], [Int(1), Null]] {
        assert_eq!(of(&values, &["int", "int"]), one);
    }
    assert_eq!(of(&[List(vec![])], &["array<int>"]), 42);
    assert_eq!(of(&[List(vec![Null, Int(1)])], &["array<int>"]), one);
}

#[test]
fn a_value_may_be_hashed_as_another_type_that_holds_it() {
    let same = |value: KeyValue<'_>, other: KeyValue<'_>, dtype: &str| {
        assert_eq!(
            of(std::slice::from_ref(&value), &[dtype]),
            of(&[other], &[dtype]),
            "{value:?} as {dtype}"
        );
    };
    same(Text("42"), Int(42), "int");
    same(Int(42), Text("42"), "string");
    same(Text("2024-01-01"), Date(DAY), "date");
    same(Date(DAY), Text("2024-01-01"), "string");
    same(Date(DAY), Timestamp(INSTANT), "timestamp");
    same(Timestamp(INSTANT + 1), Date(DAY), "date");
    same(
        Timestamp(INSTANT + 500_000),
        Text("2024-01-01 00:00:00.5"),
        "string",
    );
    same(Text("2024-01-01T01:00:00+01:00"), Timestamp(INSTANT), "timestamp");
    same(Text("2024-01-01 00:00:00"), Timestamp(INSTANT), "timestamp_ntz");
    same(Text("-12.30"), Text("-12.3"), "decimal(10,2)");
    same(Text("7"), Int(7), "decimal(20,3)");
    same(Text("0.5"), Float(0.5), "double");
}

#[test]
fn a_value_that_does_not_fit_its_type_has_no_hash() {
    for (value, dtype) in [
        (Int(128), "tinyint"),
        (Int(40_000), "smallint"),
        (Int(1 << 31), "int"),
        (KeyValue::UInt(u64::MAX), "bigint"),
        (Text("abc"), "bigint"),
        (Text("12.345"), "decimal(10,2)"),
        (Int(100), "decimal(2,0)"),
        (Text("1e5"), "decimal(10,2)"),
        (Text("."), "decimal(10,2)"),
        (Text("2024-13-01"), "date"),
        (Text("soon"), "timestamp"),
        (Float(0.5), "string"),
        (Float(0.5), "bigint"),
        (Text("yes"), "boolean"),
        (Struct(vec![Int(1)]), "struct<a:int,b:int>"),
        (Int(1), "array<int>"),
    ] {
        assert!(!fits(value.clone(), dtype), "{value:?} as {dtype}");
    }
    assert!(fits(KeyValue::UInt(u64::MAX), "decimal(20,0)"));
    assert!(fits(Null, "tinyint"));
}
