// SPDX-License-Identifier: MIT
// mlp_learn_verdict - tells if a request can be done, was done before, or what is wrong with it
//
//     again = its number is behind the next step by one, and the last answer was that of its kind
//
// Golden model   boards/lessons.py: Status
// Latency        0 cycles: gates only

`default_nettype none

module mlp_learn_verdict #(
    parameter N       = 4,              // features
    parameter CLASSES = 3,              // labels
    parameter CHUNK   = 32,             // words of a load at a time
    parameter STATE   = 68              // words of a whole load
) (
    input  wire        damaged,
    input  wire [7:0]  kind,
    input  wire [15:0] number,
    input  wire [15:0] length,          // bytes of its body
    input  wire [7:0]  label,
    input  wire        has_network,
    input  wire [15:0] step,            // the next one
    input  wire        learned,         // the last answer was to a sample that was learned
    input  wire        loaded,          // or to a chunk of a load

    output reg  [7:0]  status,          // COMPUTED: it can be done, or was
    output wire        again,
    output wire        last_chunk       // its number is that of the last one
);

    localparam [7:0] COMPUTED = 8'd0, DAMAGED = 8'd1, WRONG_LENGTH = 8'd2, NO_NETWORK = 8'd4,
                     WRONG_NUMBER = 8'd5, ILLEGAL = 8'd6;
    localparam [7:0] PREDICT = 8'd0, LEARN = 8'd1, START = 8'd2, LOAD = 8'd3, SAVE = 8'd4;

    localparam integer SAMPLE = N;
    localparam integer LESSON = N + 1;
    localparam integer WHOLE  = 2 * CHUNK;
    localparam integer LAST   = (STATE - 1) / CHUNK;
    localparam integer REST   = 2 * (STATE - LAST * CHUNK);
    localparam integer LABELS = CLASSES;

    wire next   = number == step;
    wire behind = number + 16'd1 == step;
    wire first  = number == 16'd0;

    reg [15:0] expected;
    reg        legal, in_turn;

    assign last_chunk = number == LAST[15:0];
    assign again      = behind && ((kind == LEARN && learned) || (kind == LOAD && loaded && !first));

    always @* begin
        expected = 16'd0;
        legal    = 1'b1;
        in_turn  = 1'b1;
        case (kind)
            PREDICT: expected = SAMPLE[15:0];
            LEARN: begin
                expected = LESSON[15:0];
                legal    = label < LABELS[7:0];
                in_turn  = next || again;
            end
            START:   legal = !first;
            LOAD: begin
                expected = last_chunk ? REST[15:0] : WHOLE[15:0];
                legal    = number <= LAST[15:0];
                in_turn  = first || (loaded && next) || again;
            end
            SAVE:    legal = number <= LAST[15:0];
            default: legal = 1'b0;
        endcase
    end

    wire needs_network = kind == PREDICT || kind == LEARN || kind == SAVE;

    always @* begin
        if (damaged)
            status = DAMAGED;
        else if (kind <= SAVE && length != expected)
            status = WRONG_LENGTH;
        else if (!legal)
            status = ILLEGAL;
        else if (needs_network && !has_network)
            status = NO_NETWORK;
        else
            status = in_turn ? COMPUTED : WRONG_NUMBER;
    end

endmodule

`default_nettype wire
