//! The column chunk of a list of texts.
//!
//! Such a column (tokens, tags) holds many times more values than the others hold together, and the general encoder of
//! the `parquet` crate spends most of a run on it: a level of 2 bytes and a hash of its bytes for each value. Here a list
//! is two runs of levels, and a value is found in the dictionary by its view. What is written is the same: a dictionary
//! page, data pages of version 1 cut at the same size, statistics and both page indexes.
//!
//! When the dictionary grows too large the values after it are written plain.

use std::io::{Read, Write};

use arrow::array::{Array, ArrayRef, AsArray, GenericListArray, OffsetSizeTrait, StringViewArray};
use bytes::{Buf, Bytes};
use parquet::basic::{Compression, Encoding, EncodingMask, PageType, Type};
use parquet::column::page::{CompressedPage, Page, PageWriter};
use parquet::column::writer::ColumnCloseResult;
use parquet::data_type::ByteArray;
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::{
    ColumnChunkMetaData, ColumnIndexBuilder, LevelHistogram, OffsetIndexBuilder, PageEncodingStats,
};
use parquet::file::reader::{ChunkReader, Length};
use parquet::file::statistics::{Statistics, ValueStatistics};
use parquet::file::writer::{SerializedPageWriter, SerializedRowGroupWriter, TrackedWrite};
use parquet::schema::types::ColumnDescPtr;

use super::bounds::{Bounds, lower, upper};
use super::compress::Compressor;
use super::dictionary::{Dictionary, length};
use super::hybrid::{Levels, put_codes};

/// A page is cut when its values take this much.
const PAGE_BYTES: usize = 1 << 20;
const PAGE_ROWS: usize = 20_000;
/// A larger dictionary is given up: readers load it whole, and its codes save little.
const DICTIONARY_BYTES: usize = 1 << 20;

/// Definition levels of a list that may be null, of texts that may be null.
const NULL_LIST: u32 = 0;
const EMPTY_LIST: u32 = 1;
const NULL_TEXT: u32 = 2;
const TEXT: u32 = 3;

/// Encodes one column chunk.
pub(super) struct TextList {
    descr: ColumnDescPtr,
    compression: Compression,
    compressor: Compressor,
    dictionary: Dictionary,
    is_plain: bool,
    /// By code: the last page that has it.
    last_page: Vec<u32>,
    page: OpenPage,
    /// Data pages with their headers.
    pages: Vec<Bytes>,
    totals: Totals,
    column_index: ColumnIndexBuilder,
    offset_index: OffsetIndexBuilder,
}

/// The page under way.
struct OpenPage {
    repetition: Levels,
    definition: Levels,
    codes: Vec<u32>,
    plain: Vec<u8>,
    /// Bounds of plain values; those of codes are known when the page ends.
    bounds: Bounds,
    n_rows: usize,
    text_bytes: u64,
    /// How many values have each level.
    n_repetition: [usize; 2],
    n_definition: [usize; 4],
}

/// Sums over the pages of the chunk.
#[derive(Default)]
struct Totals {
    bounds: Bounds,
    n_rows: usize,
    n_levels: usize,
    n_nulls: usize,
    text_bytes: u64,
    n_repetition: [usize; 2],
    n_definition: [usize; 4],
    n_plain_pages: usize,
    compressed_bytes: usize,
    uncompressed_bytes: usize,
}

/// An encoded column chunk, its dictionary page first.
pub(super) struct Chunk {
    pages: Vec<Bytes>,
    close: ColumnCloseResult,
}

/// Whether a column of these levels is a list that [`TextList`] writes.
pub(super) fn is_text_list(descr: &ColumnDescPtr) -> bool {
    descr.physical_type() == Type::BYTE_ARRAY && descr.max_rep_level() == 1 && descr.max_def_level() == 3
}

impl OpenPage {
    fn new() -> Self {
        Self {
            repetition: Levels::new(1),
            definition: Levels::new(TEXT),
            codes: Vec::new(),
            plain: Vec::new(),
            bounds: Bounds::default(),
            n_rows: 0,
            text_bytes: 0,
            n_repetition: [0; 2],
            n_definition: [0; 4],
        }
    }

    fn push_repetition(&mut self, n_items: usize) {
        let [n_first, n_other] = &mut self.n_repetition;
        self.repetition.push(0, 1);
        *n_first += 1;
        if n_items > 1 {
            self.repetition.push(1, n_items - 1);
            *n_other += n_items - 1;
        }
    }

    fn push_definition(&mut self, level: u32, n: usize) {
        self.definition.push(level, n);
        if let Some(count) = self.n_definition.get_mut(level as usize) {
            *count += n;
        }
    }

    fn n_levels(&self) -> usize {
        self.n_repetition.iter().sum()
    }

    fn n_texts(&self) -> usize {
        let [_, _, _, n_texts] = self.n_definition;
        n_texts
    }
}

impl TextList {
    pub(super) fn new(descr: ColumnDescPtr, compression: Compression) -> Result<Self> {
        Ok(Self {
            descr,
            compression,
            compressor: Compressor::new(compression)?,
            dictionary: Dictionary::new(),
            is_plain: false,
            last_page: Vec::new(),
            page: OpenPage::new(),
            pages: Vec::new(),
            totals: Totals::default(),
            column_index: ColumnIndexBuilder::new(Type::BYTE_ARRAY),
            offset_index: OffsetIndexBuilder::new(),
        })
    }

    /// Bytes of the chunk so far, about.
    pub(super) fn n_bytes(&self) -> usize {
        self.totals.compressed_bytes + self.dictionary.n_bytes() + self.open_bytes()
    }

    pub(super) fn write(&mut self, lists: &ArrayRef) -> Result<()> {
        if let Some(lists) = lists.as_list_opt::<i64>() {
            self.write_lists(lists)
        } else if let Some(lists) = lists.as_list_opt::<i32>() {
            self.write_lists(lists)
        } else {
            Err(wrong_type(lists))
        }
    }

    fn write_lists<O: OffsetSizeTrait>(&mut self, lists: &GenericListArray<O>) -> Result<()> {
        let texts = lists
            .values()
            .as_string_view_opt()
            .ok_or_else(|| wrong_type(lists.values()))?;
        for (row, ends) in lists.value_offsets().windows(2).enumerate() {
            let [start, end] = ends else { continue };
            let (start, end) = (start.as_usize(), end.as_usize());
            let is_null = lists.is_null(row);
            self.page.n_rows += 1;
            if is_null || start == end {
                let level = if is_null { NULL_LIST } else { EMPTY_LIST };
                self.page.push_repetition(1);
                self.page.push_definition(level, 1);
            } else {
                self.page.push_repetition(end - start);
                self.write_texts(texts, start, end);
            }
            if self.page.n_rows >= PAGE_ROWS || self.open_bytes() >= PAGE_BYTES {
                self.end_page()?;
            }
            if !self.is_plain && self.dictionary.n_bytes() >= DICTIONARY_BYTES {
                self.end_page()?;
                self.is_plain = true;
            }
        }
        Ok(())
    }

    /// The texts of one list that has some.
    fn write_texts(&mut self, texts: &StringViewArray, start: usize, end: usize) {
        if texts.null_count() == 0 {
            self.page.push_definition(TEXT, end - start);
            self.write_values(texts, start, end);
            return;
        }
        for at in start..end {
            if texts.is_null(at) {
                self.page.push_definition(NULL_TEXT, 1);
            } else {
                self.page.push_definition(TEXT, 1);
                self.write_values(texts, at, at + 1);
            }
        }
    }

    fn write_values(&mut self, texts: &StringViewArray, start: usize, end: usize) {
        let views = texts.views().get(start..end).unwrap_or_default();
        let page = &mut self.page;
        page.text_bytes += views.iter().map(|view| u64::from(length(*view))).sum::<u64>();
        if self.is_plain {
            for at in start..end {
                let text = texts.value(at).as_bytes();
                page.plain
                    .extend_from_slice(&u32::try_from(text.len()).unwrap_or(u32::MAX).to_le_bytes());
                page.plain.extend_from_slice(text);
                page.bounds.add(text);
            }
        } else {
            let dictionary = &mut self.dictionary;
            let codes = views.iter().enumerate();
            page.codes
                .extend(codes.map(|(i, view)| dictionary.code(*view, texts, start + i)));
        }
    }

    /// What the values of the page under way take.
    fn open_bytes(&self) -> usize {
        let values = if self.is_plain {
            self.page.plain.len()
        } else {
            self.page.codes.len() * self.dictionary.code_width() as usize / 8
        };
        values + self.page.repetition.len() + self.page.definition.len()
    }

    fn end_page(&mut self) -> Result<()> {
        if self.page.n_rows == 0 {
            return Ok(());
        }
        let mut content = Vec::with_capacity(self.open_bytes() + 1024);
        self.page.repetition.finish_into(&mut content);
        self.page.definition.finish_into(&mut content);
        let encoding = if self.is_plain {
            content.append(&mut self.page.plain);
            self.totals.n_plain_pages += 1;
            Encoding::PLAIN
        } else {
            put_codes(&mut content, &self.page.codes, self.dictionary.code_width());
            self.bounds_of_codes();
            self.page.codes.clear();
            Encoding::RLE_DICTIONARY
        };
        let page = Page::DataPage {
            buf: self.compressor.compress(&content)?.into(),
            num_values: number(self.page.n_levels())?,
            encoding,
            def_level_encoding: Encoding::RLE,
            rep_level_encoding: Encoding::RLE,
            statistics: None,
        };
        let page = self.put_page(page, content.len())?;
        self.index_page(&page)?;
        self.pages.push(page);
        Ok(())
    }

    /// The bounds of the page from those of its codes that are the first of their kind in it.
    fn bounds_of_codes(&mut self) {
        let this_page = u32::try_from(self.pages.len()).unwrap_or(u32::MAX);
        self.last_page.resize(self.dictionary.len(), u32::MAX);
        for code in &self.page.codes {
            if let Some(last) = self.last_page.get_mut(*code as usize)
                && *last != this_page
            {
                *last = this_page;
                self.page.bounds.add(self.dictionary.text(*code));
            }
        }
    }

    /// Serializes a page with its header.
    fn put_page(&mut self, page: Page, uncompressed_bytes: usize) -> Result<Bytes> {
        let room = page.buffer().len() + 128;
        let mut sink = TrackedWrite::new(Vec::with_capacity(room));
        let page = CompressedPage::new(page, uncompressed_bytes);
        let spec = SerializedPageWriter::new(&mut sink).write_page(page)?;
        self.totals.compressed_bytes += spec.compressed_size;
        self.totals.uncompressed_bytes += spec.uncompressed_size;
        Ok(sink.into_inner()?.into())
    }

    /// Puts the page that ends into the indexes and the totals, and starts the next.
    fn index_page(&mut self, written: &Bytes) -> Result<()> {
        let page = &mut self.page;
        let n_nulls = page.n_levels() - page.n_texts();
        let bounds = std::mem::take(&mut page.bounds);
        let (min, max) = match bounds.get() {
            Some((min, max)) => (lower(min).0, upper(max).0),
            None => (Vec::new(), Vec::new()),
        };
        self.column_index
            .append(page.n_texts() == 0, min, max, signed(n_nulls)?);
        self.column_index
            .append_histograms(&histogram(&page.n_repetition)?, &histogram(&page.n_definition)?);
        self.offset_index.append_row_count(signed(page.n_rows)?);
        self.offset_index
            .append_unencoded_byte_array_data_bytes(i64::try_from(page.text_bytes).ok());
        // Its place is known when the dictionary page before it is.
        let n_bytes = i32::try_from(written.len()).map_err(too_large)?;
        self.offset_index.append_offset_and_size(0, n_bytes);

        let totals = &mut self.totals;
        totals.bounds.merge(&bounds);
        totals.n_rows += std::mem::take(&mut page.n_rows);
        totals.n_levels += page.n_levels();
        totals.n_nulls += n_nulls;
        totals.text_bytes += std::mem::take(&mut page.text_bytes);
        for (total, n) in totals.n_repetition.iter_mut().zip(&mut page.n_repetition) {
            *total += std::mem::take(n);
        }
        for (total, n) in totals.n_definition.iter_mut().zip(&mut page.n_definition) {
            *total += std::mem::take(n);
        }
        Ok(())
    }

    /// Ends the chunk.
    pub(super) fn close(mut self) -> Result<Chunk> {
        self.end_page()?;
        let dictionary = std::mem::replace(&mut self.dictionary, Dictionary::new());
        let n_texts = number(dictionary.len())?;
        let content = dictionary.into_page();
        // Also without a text: pages whose values are codes need one to refer to.
        let page = Page::DictionaryPage {
            buf: self.compressor.compress(&content)?.into(),
            num_values: n_texts,
            encoding: Encoding::PLAIN,
            is_sorted: false,
        };
        let dictionary = self.put_page(page, content.len())?;
        let close = self.describe()?.update_dictionary_location(dictionary.len())?;
        let mut pages = vec![dictionary];
        pages.append(&mut self.pages);
        Ok(Chunk { pages, close })
    }

    /// What the footer says of the chunk.
    fn describe(&mut self) -> Result<ColumnCloseResult> {
        let totals = &self.totals;
        let mut encodings = vec![Encoding::RLE];
        let mut stats = Vec::new();
        let mut add = |page_type, encoding, n: usize| -> Result<()> {
            if n > 0 {
                let count = i32::try_from(n).map_err(too_large)?;
                encodings.push(encoding);
                stats.push(PageEncodingStats {
                    page_type,
                    encoding,
                    count,
                });
            }
            Ok(())
        };
        let n_coded_pages = self.pages.len() - totals.n_plain_pages;
        add(PageType::DICTIONARY_PAGE, Encoding::PLAIN, 1)?;
        add(PageType::DATA_PAGE, Encoding::RLE_DICTIONARY, n_coded_pages)?;
        add(PageType::DATA_PAGE, Encoding::PLAIN, totals.n_plain_pages)?;
        let metadata = ColumnChunkMetaData::builder(self.descr.clone())
            .set_compression(self.compression)
            .set_encodings_mask(EncodingMask::new_from_encodings(encodings.iter()))
            .set_page_encoding_stats(stats)
            .set_total_compressed_size(signed(totals.compressed_bytes)?)
            .set_total_uncompressed_size(signed(totals.uncompressed_bytes)?)
            .set_num_values(signed(totals.n_levels)?)
            .set_data_page_offset(0)
            .set_dictionary_page_offset(None)
            .set_statistics(statistics(&totals.bounds, totals.n_nulls))
            .set_unencoded_byte_array_data_bytes(i64::try_from(totals.text_bytes).ok())
            .set_repetition_level_histogram(histogram(&totals.n_repetition)?)
            .set_definition_level_histogram(histogram(&totals.n_definition)?)
            .build()?;
        let column_index =
            std::mem::replace(&mut self.column_index, ColumnIndexBuilder::new(Type::BYTE_ARRAY));
        Ok(ColumnCloseResult {
            bytes_written: totals.compressed_bytes as u64,
            rows_written: totals.n_rows as u64,
            metadata,
            bloom_filter: None,
            column_index: Some(column_index.build()?),
            offset_index: Some(std::mem::take(&mut self.offset_index).build()),
        })
    }
}

fn statistics(bounds: &Bounds, n_nulls: usize) -> Statistics {
    let min = bounds.get().map(|(min, _)| lower(min));
    let max = bounds.get().map(|(_, max)| upper(max));
    let is_exact = |bound: &Option<(Vec<u8>, bool)>| bound.as_ref().is_some_and(|(_, is_exact)| *is_exact);
    let (min_is_exact, max_is_exact) = (is_exact(&min), is_exact(&max));
    let text = |bound: Option<(Vec<u8>, bool)>| bound.map(|(text, _)| ByteArray::from(text));
    let statistics = ValueStatistics::new(text(min), text(max), None, Some(n_nulls as u64), false);
    Statistics::ByteArray(
        statistics
            .with_min_is_exact(min_is_exact)
            .with_max_is_exact(max_is_exact),
    )
}

fn histogram(counts: &[usize]) -> Result<Option<LevelHistogram>> {
    let Some(mut histogram) = LevelHistogram::try_new(i16::try_from(counts.len() - 1).map_err(too_large)?)
    else {
        return Ok(None);
    };
    for (level, n) in (0..).zip(counts) {
        histogram.increment_by(level, signed(*n)?);
    }
    Ok(Some(histogram))
}

fn number(n: usize) -> Result<u32> {
    u32::try_from(n).map_err(too_large)
}

fn signed(n: usize) -> Result<i64> {
    i64::try_from(n).map_err(too_large)
}

fn too_large(error: std::num::TryFromIntError) -> ParquetError {
    ParquetError::External(Box::new(error))
}

fn wrong_type(array: &ArrayRef) -> ParquetError {
    ParquetError::General(format!("a list of texts came as {}", array.data_type()))
}

impl Chunk {
    pub(super) fn append_to<W: Write + Send>(
        self,
        group: &mut SerializedRowGroupWriter<'_, W>,
    ) -> Result<()> {
        let close = self.close.clone();
        group.append_column(&self, close)
    }
}

impl Length for Chunk {
    fn len(&self) -> u64 {
        self.pages.iter().map(|page| page.len() as u64).sum()
    }
}

impl ChunkReader for Chunk {
    type T = Pages;

    fn get_read(&self, start: u64) -> Result<Pages> {
        let mut pages = Pages {
            rest: self.pages.clone().into_iter(),
            page: Bytes::new(),
        };
        std::io::copy(&mut (&mut pages).take(start), &mut std::io::sink())?;
        Ok(pages)
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        let mut bytes = Vec::with_capacity(length);
        self.get_read(start)?
            .take(length as u64)
            .read_to_end(&mut bytes)?;
        Ok(bytes.into())
    }
}

/// The pages of a chunk, read one after another.
pub(super) struct Pages {
    rest: std::vec::IntoIter<Bytes>,
    page: Bytes,
}

impl Read for Pages {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        while self.page.is_empty() {
            match self.rest.next() {
                Some(page) => self.page = page,
                None => return Ok(0),
            }
        }
        let n = buf.len().min(self.page.len());
        self.page
            .split_to(n)
            .copy_to_slice(buf.get_mut(..n).unwrap_or_default());
        Ok(n)
    }
}
