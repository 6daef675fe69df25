"""Rates, on a server that throttles: per account and operation, as the seeds state."""

import concurrent.futures

from cloud import Classic, Modern, Refused, Story


class Throttle(Story):
    def burst(self, cloud, count, operation, **params):
        """Outcomes of calls made side by side: None or the refusal."""

        def call(_):
            try:
                cloud.call(operation, **params)
            except Refused as error:
                return error

        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            return list(pool.map(call, range(count)))

    def test_a_burst_beyond_the_rate_is_throttled(self):
        from alibabacloud_tea_openapi.exceptions import ThrottlingException

        # Of the package operations 300 calls a minute: the bucket fills by 5 a second, so that even a slow machine
        # empties it.
        name = dict(DomainName="file.example.com")
        outcomes = self.burst(Modern(), 400, "DescribeLivePackageConfig", **name)
        refused = [outcome for outcome in outcomes if outcome]
        self.assertTrue(refused, "nothing was throttled")
        self.assertLessEqual(len(refused), 100)
        for error in refused:
            message = "Request was denied due to user flow control."
            self.assertEqual((error.status, error.code, error.message), (400, "Throttling.User", message))
            self.assertIsInstance(error.cause, ThrottlingException)
            self.assertGreater(error.cause.retry_after, 0)
        # Another operation of the same account is not concerned, and whichever SDK asks does not matter.
        self.cloud.call("DescribeLiveSnapshotConfig", **name)
        again = self.burst(Classic(), 60, "DescribeLivePackageConfig", **name)
        self.assertTrue(any(error and error.code == "Throttling.User" for error in again))
