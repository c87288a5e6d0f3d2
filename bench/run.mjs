console.log('The benchmarks are not written yet; they come with an issue of their own. Nothing was measured.')
