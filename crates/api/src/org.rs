//! Departments and projects (control-plane 3.2 and 4.3).

mod department;
mod project;
mod settings;

pub use department::{CreateDepartment, Department, Departments};
pub use project::{
    CreateProject, EffectiveSettings, ParentDepartment, Project, ProjectPhase, ProjectStatus, Projects,
};
pub use settings::{
    MemoryQuota, MemoryUnit, NodePool, NodeTypes, OrgUnitSettings, Quota, Resources, SchedulingRules,
    TotalResources,
};
