import Testing

@Suite("Package") struct MtreplPackageTests {}
