//! Departments and projects (control-plane 3.2 and 4.3).

mod department;
mod priority;
mod project;
mod settings;

pub use department::{
    CreateDepartment, Department, DepartmentOperation, Departments, OPERATIONS as DEPARTMENT_OPERATIONS,
    UpdateDepartment,
};
pub use priority::{OPERATIONS as ORG_UNIT_OPERATIONS, OrgUnitOperation, Priorities, Priority};
pub use project::{
    CreateProject, EffectiveSettings, OPERATIONS as PROJECT_OPERATIONS, ParentDepartment, Project,
    ProjectOperation, ProjectPhase, ProjectStatus, Projects, SetNetworking, SetPodRules, UpdateProject,
};
pub use settings::{
    MemoryQuota, MemoryUnit, NodePool, NodeTypes, OrgUnitSettings, Quota, Resources, SchedulingRules,
    SetResources, TotalResources,
};
