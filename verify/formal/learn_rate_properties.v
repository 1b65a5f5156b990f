// SPDX-License-Identifier: MIT
// learn_rate_properties - mlp_learn_rate halves the rate once for each threshold that has passed
//
// Epochs never go down but by a load, and stay at the last one that there is.

`default_nettype none

module learn_rate_properties #(
    parameter N_DROPS = 4
) (
    input wire        clk,
    input wire        load,
    input wire [15:0] load_epoch,
    input wire        step
);

    (* anyconst *) wire [16*N_DROPS-1:0] thresholds;

    wire [15:0] epoch;
    wire [2:0]  halvings;

    mlp_learn_rate #(.N_DROPS(N_DROPS)) u_dut (
        .clk(clk), .load(load), .load_epoch(load_epoch), .step(step), .thresholds(thresholds),
        .epoch(epoch), .halvings(halvings)
    );

    reg        started = 1'b0;
    reg [15:0] next;
    reg [2:0]  passed, expected;
    integer    k;

    always @* begin
        passed = 0;
        for (k = 0; k < N_DROPS; k = k + 1)
            passed = passed + !(epoch < thresholds[16*k +: 16]);
    end

    always @(posedge clk) begin
        started  <= 1'b1;
        next     <= load ? load_epoch : epoch + (step && epoch != 65535);
        expected <= passed;
        if (started) begin
            counts_epochs: assert (epoch == next);
            equals_its_formula: assert (halvings == expected);
        end
    end

endmodule

`default_nettype wire
