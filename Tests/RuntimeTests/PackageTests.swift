import Testing

@Suite("Package") struct RuntimePackageTests {}
