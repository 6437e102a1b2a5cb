//! Kinds of values made of others: optional ones, words of a list, tables and lists of tables.

use super::kinds::{Text, check_name};
use super::problem::{Problem, Span as Place, suggest};
use super::section::{Cx, Form, KeyDef, Reads, Section, check_table, mismatch};
use super::tree::{Entry, Node, Value};
use crate::text::cited;
use std::marker::PhantomData;

/// One of a few words.
pub(crate) struct Word<W>(PhantomData<W>);
/// The value, or the word `none`.
pub(crate) struct Optional<R>(PhantomData<R>);
/// A table.
pub(crate) struct Table<S>(PhantomData<S>);
/// A list of tables.
pub(crate) struct Tables<S>(PhantomData<S>);
/// A table of tables by name.
pub(crate) struct Named<S>(PhantomData<S>);
/// A table that overrides keys of a wider one: kept as written until both are merged.
pub(crate) struct Override<S>(PhantomData<S>);
/// A threshold: kept as written until the gauge is known.
pub(crate) struct Threshold;
/// Paths with new values.
pub(crate) struct Sets;
/// Words that stand for the values of a closed enum.
pub(crate) trait Words: Copy + 'static {
    const WORDS: &'static [(&'static str, Self, &'static str)];
}

impl<W: Words> Reads for Word<W> {
    type Out = W;
    fn read(node: &Node, key: &KeyDef, cx: &mut Cx<'_>) -> Option<W> {
        let text = Text::read(node, key, cx)?;
        let found = W::WORDS.iter().find(|(word, _, _)| *word == text);
        if found.is_none() {
            let help = suggest(&text, W::WORDS.iter().map(|(word, _, _)| *word));
            cx.push(
                Problem::new("E014", format!("`{}` cannot be {}", key.name, cited(text)))
                    .at(node.span)
                    .help(help),
            );
        }
        found.map(|(_, value, _)| *value)
    }
    fn form() -> Form {
        Form::Word(
            W::WORDS
                .iter()
                .map(|(word, _, about)| (*word, *about))
                .collect(),
        )
    }
}

impl<R: Reads> Reads for Optional<R> {
    type Out = Option<R::Out>;
    fn read(node: &Node, key: &KeyDef, cx: &mut Cx<'_>) -> Option<Option<R::Out>> {
        if node.as_text() == Some("none") {
            return Some(None);
        }
        R::read(node, key, cx).map(Some)
    }
    fn form() -> Form {
        Form::Optional(Box::new(R::form()))
    }
}

impl<S: Section> Reads for Table<S> {
    type Out = S;
    fn read(node: &Node, _: &KeyDef, cx: &mut Cx<'_>) -> Option<S> {
        S::read(node, cx)
    }
    fn form() -> Form {
        Form::Table(S::def())
    }
}

impl<S: Section> Reads for Tables<S> {
    type Out = Vec<S>;
    fn read(node: &Node, key: &KeyDef, cx: &mut Cx<'_>) -> Option<Vec<S>> {
        let Value::List(items) = &node.value else {
            let help = format!("write [[…{}]], or a list of tables", key.name);
            cx.push(mismatch(node, "a list of tables", key).help(help));
            return None;
        };
        // Each is read, so that the problems of all are found.
        let read: Vec<Option<S>> = items.iter().map(|item| S::read(item, cx)).collect();
        read.into_iter().collect()
    }
    fn form() -> Form {
        Form::Tables(S::def())
    }
}

impl<S: Section> Reads for Named<S> {
    type Out = Vec<(String, Place, S)>;
    fn read(node: &Node, key: &KeyDef, cx: &mut Cx<'_>) -> Option<Self::Out> {
        if !node.is_table() {
            cx.push(
                mismatch(node, "a table of tables", key).help(format!("write [{}.NAME]", key.name)),
            );
            return None;
        }
        let read: Vec<_> = node
            .entries()
            .iter()
            .map(
                |Entry {
                     key,
                     key_span,
                     node,
                 }| {
                    let fine = check_name(key, *key_span, cx);
                    S::read(node, cx)
                        .filter(|_| fine)
                        .map(|section| (key.clone(), *key_span, section))
                },
            )
            .collect();
        read.into_iter().collect()
    }
    fn form() -> Form {
        Form::Named(S::def())
    }
}

impl<S: Section> Reads for Override<S> {
    type Out = Node;
    fn read(node: &Node, _: &KeyDef, cx: &mut Cx<'_>) -> Option<Node> {
        check_table(node, S::def(), cx).then(|| node.clone())
    }
    fn form() -> Form {
        Form::Override(S::def())
    }
}

impl Reads for Threshold {
    type Out = Node;
    fn read(node: &Node, _: &KeyDef, _: &mut Cx<'_>) -> Option<Node> {
        Some(node.clone())
    }
    fn form() -> Form {
        Form::Threshold
    }
}

impl Reads for Sets {
    type Out = Vec<Entry>;
    fn read(node: &Node, key: &KeyDef, cx: &mut Cx<'_>) -> Option<Vec<Entry>> {
        if !node.is_table() {
            cx.push(
                mismatch(node, "a table of paths with values", key)
                    .help("such as { \"service.web.server.web-1.weight\" = 1 }"),
            );
            return None;
        }
        Some(node.entries().to_vec())
    }
    fn form() -> Form {
        Form::Sets
    }
}
