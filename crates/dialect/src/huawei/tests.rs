mod signature;
mod template;
