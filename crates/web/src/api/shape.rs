//! The forms of bodies and answers, as the document tells them.
//!
//! In:    names and words. Out: [`Shape`], and its JSON Schema (2020-12, as OpenAPI 3.1 uses it).
//! Never: a form that an answer does not keep; `tests` hold every answer against its shape.

use utoipa::openapi::schema::{
    AdditionalProperties, ArrayBuilder, ObjectBuilder, OneOfBuilder, SchemaFormat, Type,
};
use utoipa::openapi::{RefOr, Schema};

/// The form of a JSON value.
#[derive(Clone, Debug)]
pub(crate) enum Shape {
    /// Text.
    Text(&'static str),
    /// RFC 3339 in UTC.
    Time(&'static str),
    /// A whole number.
    Number(&'static str),
    /// Yes or no.
    Flag(&'static str),
    /// Any JSON, said in words.
    Any(&'static str),
    /// Null, or this.
    Maybe(Box<Shape>),
    /// A list.
    List(Box<Shape>),
    /// Names that are not known before, each with this.
    Map(Box<Shape>),
    /// Named fields; those in the first list are always there.
    Object(Vec<(&'static str, Shape)>, Vec<(&'static str, Shape)>),
}

/// An object whose fields are always there.
pub(crate) fn object<const N: usize>(fields: [(&'static str, Shape); N]) -> Shape {
    Shape::Object(fields.into(), Vec::new())
}

/// A list.
pub(crate) fn list(of: Shape) -> Shape {
    Shape::List(Box::new(of))
}

/// Null, or this.
pub(crate) fn maybe(of: Shape) -> Shape {
    Shape::Maybe(Box::new(of))
}

/// Names that are not known before.
pub(crate) fn map(of: Shape) -> Shape {
    Shape::Map(Box::new(of))
}

impl Shape {
    /// The same object with fields that may be missing.
    pub(crate) fn or<const N: usize>(self, more: [(&'static str, Shape); N]) -> Self {
        match self {
            Shape::Object(always, _) => Shape::Object(always, more.into()),
            other => other,
        }
    }

    /// As JSON Schema.
    pub(crate) fn schema(&self) -> RefOr<Schema> {
        let plain = |kind: Type, says: &str| {
            RefOr::T(Schema::Object(
                ObjectBuilder::new()
                    .schema_type(kind)
                    .description(Some(says))
                    .build(),
            ))
        };
        match self {
            Shape::Text(says) => plain(Type::String, says),
            Shape::Number(says) => plain(Type::Integer, says),
            Shape::Flag(says) => plain(Type::Boolean, says),
            Shape::Time(says) => {
                let format = SchemaFormat::Custom("date-time".into());
                let time = ObjectBuilder::new().schema_type(Type::String);
                let time = time.format(Some(format)).description(Some(*says));
                RefOr::T(Schema::Object(time.build()))
            }
            Shape::Any(says) => {
                let any =
                    ObjectBuilder::new().schema_type(utoipa::openapi::schema::SchemaType::AnyValue);
                RefOr::T(Schema::Object(any.description(Some(*says)).build()))
            }
            Shape::Maybe(of) => {
                let null = ObjectBuilder::new().schema_type(Type::Null).build();
                let either = OneOfBuilder::new()
                    .item(of.schema())
                    .item(Schema::Object(null));
                RefOr::T(Schema::OneOf(either.build()))
            }
            Shape::List(of) => RefOr::T(Schema::Array(
                ArrayBuilder::new().items(of.schema()).build(),
            )),
            Shape::Map(of) => {
                let map = ObjectBuilder::new().schema_type(Type::Object);
                let map = map.additional_properties(Some(AdditionalProperties::RefOr(of.schema())));
                RefOr::T(Schema::Object(map.build()))
            }
            Shape::Object(always, sometimes) => object_schema(always, sometimes),
        }
    }
}

fn object_schema(
    always: &[(&'static str, Shape)],
    sometimes: &[(&'static str, Shape)],
) -> RefOr<Schema> {
    let mut object = ObjectBuilder::new().schema_type(Type::Object);
    for (name, shape) in always {
        object = object.property(*name, shape.schema()).required(*name);
    }
    for (name, shape) in sometimes {
        object = object.property(*name, shape.schema());
    }
    let closed = Some(AdditionalProperties::FreeForm(false));
    RefOr::T(Schema::Object(object.additional_properties(closed).build()))
}
