//! MODULE, as far as tools call it to see what a server can do: this one has no modules, and says so.

use super::help;
use crate::command::call::{Call, CommandError};

/// MODULE LIST
pub fn module_list(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    call.reply.array(0);
    Ok(())
}

/// MODULE HELP
pub fn module_help(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    help("module", call.reply)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::context::fixture::Fixture;

    #[test]
    fn there_are_no_modules() {
        let mut fixture = Fixture::new();
        assert_eq!(fixture.run(module_list, "MODULE LIST"), "*0\r\n");
        assert!(fixture.run(module_help, "MODULE HELP").contains("+MODULE <subcommand> "));
    }
}
