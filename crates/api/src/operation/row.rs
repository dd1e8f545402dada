//! How a resource writes its rows.

use reeve_authz::{Action, Entity};
use schemars::JsonSchema;

use super::{Access, Answer, Method, Operation, OperationId, Query, QueryParameter, Recorded, RequestBody};
use crate::body::{Body, InvalidBody};
use reeve_types::list::ListSpec;

/// A row before its name in code.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    method: Method,
    name: &'static str,
    path: &'static str,
    access: Access,
    query: Query,
    body: RequestBody,
    success: u16,
    answer: Answer,
    also: &'static [u16],
    signs_in_to: Option<Entity>,
    signs_out_of: Option<Entity>,
    does_own: Option<(Recorded, Entity)>,
    question: bool,
    with_temporary_password: bool,
    oauth: bool,
}

const fn row(
    method: Method,
    name: &'static str,
    path: &'static str,
    access: Access,
    body: RequestBody,
) -> Row {
    Row {
        method,
        name,
        path,
        access,
        query: Query::Nothing,
        body,
        success: 200,
        answer: Answer::Nothing,
        also: &[],
        signs_in_to: None,
        signs_out_of: None,
        does_own: None,
        question: false,
        with_temporary_password: false,
        oauth: false,
    }
}

/// Reads.
pub(crate) const fn get(name: &'static str, path: &'static str, access: Access) -> Row {
    row(Method::Get, name, path, access, RequestBody::Unread)
}

/// Makes something; without [`Row::takes`] its body must say nothing.
pub(crate) const fn post(name: &'static str, path: &'static str, access: Access) -> Row {
    row(Method::Post, name, path, access, RequestBody::Empty)
}

/// Sets something whole.
pub(crate) const fn put(name: &'static str, path: &'static str, access: Access) -> Row {
    row(Method::Put, name, path, access, RequestBody::Empty)
}

/// Changes a part of something.
pub(crate) const fn patch(name: &'static str, path: &'static str, access: Access) -> Row {
    row(Method::Patch, name, path, access, RequestBody::Empty)
}

/// Takes something away.
pub(crate) const fn delete(name: &'static str, path: &'static str, access: Access) -> Row {
    row(Method::Delete, name, path, access, RequestBody::Unread)
}

/// Whoever holds this permission.
pub(crate) const fn may(action: Action, entity: Entity) -> Access {
    Access::Requires(action, entity)
}

fn check<T: Body>(bytes: &[u8]) -> Result<(), InvalidBody> {
    T::parse(bytes).map(|_| ())
}

impl Row {
    /// Its body.
    pub(crate) const fn takes<T: Body>(self) -> Self {
        let body = RequestBody::Json {
            schema: |generator| generator.subschema_for::<T>(),
            check: check::<T>,
            credentials: T::CREDENTIALS,
        };
        Self { body, ..self }
    }

    /// Its form of credentials.
    pub(crate) const fn takes_form<T: JsonSchema>(self) -> Self {
        let body = RequestBody::Form {
            schema: |generator| generator.subschema_for::<T>(),
        };
        Self { body, ..self }
    }

    /// 400 and 401 are as RFC 6749 has them.
    pub(crate) const fn refuses_as_oauth(self) -> Self {
        Self { oauth: true, ..self }
    }

    /// The query of a list.
    pub(crate) const fn lists(self, spec: &'static ListSpec) -> Self {
        Self {
            query: Query::List(spec),
            ..self
        }
    }

    /// Its parameters after the `?`.
    pub(crate) const fn asks(self, parameters: &'static [QueryParameter]) -> Self {
        Self {
            query: Query::Parameters(parameters),
            ..self
        }
    }

    /// Status and body of success.
    pub(crate) const fn answers<T: JsonSchema>(self, success: u16) -> Self {
        let answer = Answer::Json(|generator| generator.subschema_for::<T>());
        Self {
            success,
            answer,
            ..self
        }
    }

    /// Success without a body.
    pub(crate) const fn answers_nothing(self, success: u16) -> Self {
        Self { success, ..self }
    }

    /// Success with something that is no JSON.
    pub(crate) const fn answers_other(self, content_type: &'static str) -> Self {
        let answer = Answer::Other(content_type);
        Self { answer, ..self }
    }

    /// Statuses that do not follow from the rest of the row.
    pub(crate) const fn also(self, also: &'static [u16]) -> Self {
        Self { also, ..self }
    }

    /// What the caller signs in to by it.
    pub(crate) const fn signs_in_to(self, entity: Entity) -> Self {
        Self {
            signs_in_to: Some(entity),
            ..self
        }
    }

    /// What the caller signs out of by it.
    pub(crate) const fn signs_out_of(self, entity: Entity) -> Self {
        Self {
            signs_out_of: Some(entity),
            ..self
        }
    }

    /// What the caller does by it to something of her own, for which she needs no permission.
    pub(crate) const fn does_own(self, recorded: Recorded, entity: Entity) -> Self {
        Self {
            does_own: Some((recorded, entity)),
            ..self
        }
    }

    /// It only asks, although it is no `GET`.
    pub(crate) const fn question(self) -> Self {
        Self {
            question: true,
            ..self
        }
    }

    /// It is done for somebody who has to choose another password first, too.
    pub(crate) const fn with_temporary_password(self) -> Self {
        Self {
            with_temporary_password: true,
            ..self
        }
    }

    /// The finished row.
    pub(crate) const fn operation(
        self,
        id: OperationId,
        tag: &'static str,
        summary: &'static str,
    ) -> Operation {
        Operation {
            id,
            name: self.name,
            tag,
            method: self.method,
            path: self.path,
            access: self.access,
            query: self.query,
            body: self.body,
            success: self.success,
            answer: self.answer,
            also: self.also,
            signs_in_to: self.signs_in_to,
            signs_out_of: self.signs_out_of,
            does_own: self.does_own,
            question: self.question,
            with_temporary_password: self.with_temporary_password,
            oauth: self.oauth,
            summary: summary.trim_ascii(),
        }
    }
}

/// The operations of a resource: their enumeration, and their rows as `$table`.
macro_rules! operations {
    ($(#[doc = $about:literal])* $table:ident: $name:ident as $group:ident, $tag:literal; $(#[doc = $summary:literal] $id:ident = $row:expr;)*) => {
        $(#[doc = $about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $(#[doc = $summary] $id,)*
        }

        impl $name {
            /// The row of the table.
            pub const fn row(self) -> &'static $crate::operation::Operation {
                match self {
                    $(Self::$id => const {
                        &$row.operation($crate::operation::OperationId::$group($name::$id), $tag, $summary)
                    },)*
                }
            }
        }

        /// The rows.
        pub const $table: &[$crate::operation::Operation] = &[$(*$name::$id.row()),*];
    };
}

pub(crate) use operations;

/// How many rows all resources have.
pub(super) const fn count(resources: &[&[Operation]]) -> usize {
    let (mut total, mut rest) = (0, resources);
    while let [first, others @ ..] = rest {
        total += first.len();
        rest = others;
    }
    total
}

/// All rows in one table.
pub(super) const fn concatenated<const N: usize>(resources: &[&[Operation]]) -> [Operation; N] {
    let mut all = [*OperationId::Health(crate::health::HealthOperation::Healthz).operation(); N];
    let (mut at, mut rest) = (0, resources);
    while let [resource, others @ ..] = rest {
        let mut rows = *resource;
        while let [row, more @ ..] = rows {
            let (_, tail) = all.split_at_mut(at);
            if let [place, ..] = tail {
                *place = *row;
            }
            at += 1;
            rows = more;
        }
        rest = others;
    }
    all
}
