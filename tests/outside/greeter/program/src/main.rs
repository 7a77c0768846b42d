//! A program of its own: no services, no tokio. It loads the greeter that the map names and uses it.
//! Usage: greeter-program PLUGINS.TOML NAME GUEST

#![forbid(unsafe_code)]
#![deny(warnings)]

use std::error::Error;
use std::path::Path;

use greeter_kind::{Greeter, Guest};
use longshore_loader::map::Environment;
use longshore_loader::{Loader, PluginMap};

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().collect();
    let [_, map, name, guest] = args.as_slice() else {
        return Err("usage: greeter-program PLUGINS.TOML NAME GUEST".into());
    };
    let map = PluginMap::load(Path::new(map), &Environment::from_process())?;
    let loader = Loader::new(map, std::env::temp_dir().join("greeter"));
    let manager = loader.namespace::<dyn Greeter>("example.greeter").driver(name)?;
    let guest = Guest { name: guest.clone(), ..Guest::default() };
    println!("{}", manager.driver().greet(&guest)?);
    for words in manager.driver().greet_all(vec![guest.clone(), guest])? {
        println!("{words}");
    }
    Ok(())
}
