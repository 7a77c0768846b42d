//! A host of a later release: its plugin-api is version 1.1 and its kind `Filter` has one method more. It loads the plugins
//! that are named and calls the new method. The test writes that release; this crate does not build in this one.

#![forbid(unsafe_code)]
#![deny(warnings)]

use std::error::Error;

use longshore_loader::{Loader, PluginMap};
use longshore_plugin_api::{API_VERSION, Filter, Mask, RequestFields, full, testing};

fn main() -> Result<(), Box<dyn Error>> {
    let dir = std::env::temp_dir();
    for lib in std::env::args().skip(1) {
        let text = format!("[\"longshore.scheduler.filter\"]\nample = \"{lib}\"\n");
        let loader = Loader::new(PluginMap::parse(&text, "plugins.toml")?, &dir);
        let manager = loader.namespace::<dyn Filter>("longshore.scheduler.filter").driver("ample")?;
        let filter = manager.driver();
        let hosts = testing::hosts(70, |_, _| {}).snapshot();
        let mut words = full(70);
        let mut mask = Mask::new(&mut words, 70);
        filter.filter_all(&hosts, &RequestFields::default().into(), &mut mask)?;
        println!("{API_VERSION}: {} pass, the new method says {}", mask.count(), filter.appended("later")?);
    }
    Ok(())
}
