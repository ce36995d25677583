import Testing

@Suite("Package") struct BindingsPackageTests {}
