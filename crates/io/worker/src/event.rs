pub use tandem_base::MediaEvent;
